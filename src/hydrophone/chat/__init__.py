"""The chat service behind Spaces and broadcasts: access, history, socket, and what its messages mean.

A service of its own, asked without any login of X, by X and Periscope alike. Questions and pure readers;
`hydrophone.http` drives them. Only `following` waits and loops.
"""
