"""One file for each command, imported only when that command is called or its help is asked for."""
