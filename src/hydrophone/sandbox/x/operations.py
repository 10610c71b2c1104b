"""The GraphQL operations that the sandbox answers: method, query ids, and which features each query id insists on.

An id that shipped long ago keeps answering, as on the real service. Ids whose feature list nobody published ask for
the list of their time. Three ids (two old ones and a shortened one from an early description) take no features at all.

Source: web endpoint reference, "GraphQL".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


EARLY = _names("""
    dont_mention_me_view_api_enabled interactive_text_enabled responsive_web_edit_tweet_api_enabled
    responsive_web_enhance_cards_enabled responsive_web_uc_gql_enabled spaces_2022_h2_clipping
    spaces_2022_h2_spaces_communities standardized_nudges_misinfo
    tweet_with_visibility_results_prefer_gql_limited_actions_policy_enabled vibe_api_enabled
""")
MIDDLE = _names("""
    spaces_2022_h2_clipping spaces_2022_h2_spaces_communities
    responsive_web_graphql_exclude_directive_enabled verified_phone_label_enabled
    creator_subscriptions_tweet_preview_api_enabled
    responsive_web_graphql_skip_user_profile_image_extensions_enabled
    tweetypie_unmention_optimization_enabled responsive_web_edit_tweet_api_enabled
    graphql_is_translatable_rweb_tweet_is_translatable_enabled view_counts_everywhere_api_enabled
    longform_notetweets_consumption_enabled responsive_web_twitter_article_tweet_consumption_enabled
    tweet_awards_web_tipping_enabled freedom_of_speech_not_reach_fetch_enabled standardized_nudges_misinfo
    tweet_with_visibility_results_prefer_gql_limited_actions_policy_enabled
    responsive_web_graphql_timeline_navigation_enabled longform_notetweets_rich_text_read_enabled
    longform_notetweets_inline_media_enabled responsive_web_media_download_video_enabled
    responsive_web_enhance_cards_enabled
""")
LATE = _names("""
    creator_subscriptions_tweet_preview_api_enabled c9s_tweet_anatomy_moderator_badge_enabled
    tweetypie_unmention_optimization_enabled responsive_web_edit_tweet_api_enabled
    graphql_is_translatable_rweb_tweet_is_translatable_enabled view_counts_everywhere_api_enabled
    longform_notetweets_consumption_enabled responsive_web_twitter_article_tweet_consumption_enabled
    tweet_awards_web_tipping_enabled longform_notetweets_rich_text_read_enabled
    longform_notetweets_inline_media_enabled rweb_video_timestamps_enabled
    responsive_web_graphql_exclude_directive_enabled verified_phone_label_enabled
    freedom_of_speech_not_reach_fetch_enabled standardized_nudges_misinfo
    tweet_with_visibility_results_prefer_gql_limited_actions_policy_enabled
    responsive_web_media_download_video_enabled
    responsive_web_graphql_skip_user_profile_image_extensions_enabled
    responsive_web_graphql_timeline_navigation_enabled responsive_web_enhance_cards_enabled
    profile_label_improvements_pcf_label_in_post_enabled spaces_2022_h2_spaces_communities
    spaces_2022_h2_clipping responsive_web_grok_analyze_button_fetch_trends_enabled
    responsive_web_grok_analyze_post_followups_enabled responsive_web_grok_show_grok_translated_post
    responsive_web_grok_analysis_button_from_backend responsive_web_grok_image_annotation_enabled
    responsive_web_grok_imagine_annotation_enabled
    responsive_web_grok_community_note_auto_translation_is_enabled content_disclosure_indicator_enabled
    content_disclosure_ai_generated_indicator_enabled post_ctas_fetch_enabled rweb_cashtags_enabled
""")
ANDROID = _names("""
    super_follow_tweet_api_enabled tweetypie_unmention_optimization_enabled
    creator_subscriptions_tweet_preview_api_enabled android_graphql_skip_api_media_color_palette
    subscriptions_verification_info_enabled freedom_of_speech_not_reach_fetch_enabled
    longform_notetweets_consumption_enabled
    tweet_with_visibility_results_prefer_gql_limited_actions_policy_enabled
    longform_notetweets_rich_text_read_enabled super_follow_exclusive_tweet_notifications_enabled
    super_follow_user_api_enabled blue_business_profile_image_shape_enabled
    creator_subscriptions_subscription_count_enabled longform_notetweets_inline_media_enabled
    super_follow_badge_privacy_enabled
""")
PROFILE = _names("""
    hidden_profile_likes_enabled responsive_web_graphql_exclude_directive_enabled
    verified_phone_label_enabled subscriptions_verification_info_verified_since_enabled
    highlights_tweets_tab_ui_enabled creator_subscriptions_tweet_preview_api_enabled
    responsive_web_graphql_skip_user_profile_image_extensions_enabled
    responsive_web_graphql_timeline_navigation_enabled
""")
POST = _names("""
    responsive_web_graphql_exclude_directive_enabled verified_phone_label_enabled
    creator_subscriptions_tweet_preview_api_enabled
    responsive_web_graphql_skip_user_profile_image_extensions_enabled
    tweetypie_unmention_optimization_enabled responsive_web_edit_tweet_api_enabled
    graphql_is_translatable_rweb_tweet_is_translatable_enabled view_counts_everywhere_api_enabled
    longform_notetweets_consumption_enabled responsive_web_twitter_article_tweet_consumption_enabled
    tweet_awards_web_tipping_enabled freedom_of_speech_not_reach_fetch_enabled standardized_nudges_misinfo
    tweet_with_visibility_results_prefer_gql_limited_actions_policy_enabled
    responsive_web_graphql_timeline_navigation_enabled longform_notetweets_rich_text_read_enabled
    longform_notetweets_inline_media_enabled responsive_web_media_download_video_enabled
    responsive_web_enhance_cards_enabled
""")
TIMELINE = _names("""
    articles_preview_enabled c9s_tweet_anatomy_moderator_badge_enabled
    communities_web_enable_tweet_community_results_fetch creator_subscriptions_quote_tweet_preview_enabled
    creator_subscriptions_tweet_preview_api_enabled freedom_of_speech_not_reach_fetch_enabled
    graphql_is_translatable_rweb_tweet_is_translatable_enabled longform_notetweets_consumption_enabled
    longform_notetweets_inline_media_enabled longform_notetweets_rich_text_read_enabled
    responsive_web_edit_tweet_api_enabled responsive_web_enhance_cards_enabled
    responsive_web_graphql_exclude_directive_enabled
    responsive_web_graphql_skip_user_profile_image_extensions_enabled
    responsive_web_grok_community_note_auto_translation_is_enabled
    responsive_web_graphql_timeline_navigation_enabled responsive_web_grok_imagine_annotation_enabled
    responsive_web_media_download_video_enabled responsive_web_profile_redirect_enabled
    responsive_web_twitter_article_tweet_consumption_enabled rweb_tipjar_consumption_enabled
    rweb_video_timestamps_enabled standardized_nudges_misinfo tweet_awards_web_tipping_enabled
    tweet_with_visibility_results_prefer_gql_limited_actions_policy_enabled
    tweet_with_visibility_results_prefer_gql_media_interstitial_enabled
    tweetypie_unmention_optimization_enabled verified_phone_label_enabled view_counts_everywhere_api_enabled
    responsive_web_grok_analyze_button_fetch_trends_enabled premium_content_api_read_enabled
    profile_label_improvements_pcf_label_in_post_enabled responsive_web_grok_share_attachment_enabled
    responsive_web_grok_analyze_post_followups_enabled responsive_web_grok_image_annotation_enabled
    responsive_web_grok_analysis_button_from_backend responsive_web_jetfuel_frame rweb_video_screen_enabled
    responsive_web_grok_show_grok_translated_post highlights_tweets_tab_ui_enabled
    hidden_profile_likes_enabled hidden_profile_subscriptions_enabled
    subscriptions_verification_info_verified_since_enabled
    subscriptions_verification_info_is_identity_verified_enabled
    responsive_web_twitter_article_notes_tab_enabled subscriptions_feature_can_gift_premium
""")
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `query_ids` maps each id that shipped to the features it needs."""

    name: str
    method: str
    guests: bool
    query_ids: Mapping[str, frozenset[str]]

    @property
    def newest_query_id(self) -> str:
        """The id that only the scripts name: the one left when the shipped ids are rotated away."""
        return f"Rotated00{self.name}0000000000000"[:22]


OPERATIONS = (
    Operation(
        "AudioSpaceById",
        "GET",
        guests=True,
        query_ids={
            "HPEisOmj1epUNLCWTYhUWw": EARLY,
            "CSzFYPoVPLfqWFAJDsYZxQ": LATE,
            "kZ9wfR8EBtiP0As3sFFrBA": MIDDLE,
            "rR7CQrr8kxb6fatlUaB61Q": LATE,
            "Tvv_cNXCbtTcgdy1vWYPMw": LATE,
            "xVEzTKg_mLTHubK5ayL0HA": MIDDLE,
            "fYAuJHiY3TmYdBmrRtIKhA": MIDDLE,
            "s2tz6GAie-O1tdZx873PLA": MIDDLE,
            "rC2zlE1t7SHbVG8obPZliQ": MIDDLE,
            "NgGZ325iUTdno0iBOZRGOA": MIDDLE,
            "xjTKygiBMpX44KU8ywLohQ": MIDDLE,
            "yMLYE2ltn1nOZ5Gyk3JYSw": MIDDLE,
            "Uv5R_-Chxbn1FEkyUkSW2w": NONE,
            "jyQ0_DEMZHeoluCgHJ-U5Q": NONE,
            "lFpix9BgFDhAMjn9CrW6jQ": MIDDLE,
            "65LKfmsxIRdd6g3VM8e6Zw": MIDDLE,
            "s1e2ZkWQYDRvGzCqA66MJQ": MIDDLE,
            "s3V0Y5v6": NONE,
        },
    ),
    Operation(
        "AudiospaceByRestId",
        "GET",
        guests=False,
        query_ids={
            "N80MQ7fkrpuq1-kCWVSvzQ": ANDROID,
        },
    ),
    Operation(
        "AudioSpaceSearch",
        "POST",
        guests=False,
        query_ids={
            "NTq79TuSz6fHj8lQaferJw": NONE,
        },
    ),
    Operation(
        "BrowseSpaceTopics",
        "GET",
        guests=False,
        query_ids={
            "TYpVV9QioZfViHqEqRZxJA": NONE,
        },
    ),
    Operation(
        "UserByScreenName",
        "GET",
        guests=True,
        query_ids={
            "Gb-d6r0vxPOADdG62OEBpQ": TIMELINE,
            "ck5KkZ8t5cOmoLssopN99Q": TIMELINE,
            "NimuplG1OB7Fd2btCLdBOw": TIMELINE,
            "oUZZZ8Oddwxs8Cd3iW3UEA": PROFILE,
            "SjtODv6y4fsa4-zv5sLw5A": PROFILE,
            "sLVLhk0bGj3MVFEKTdax1w": PROFILE,
        },
    ),
    Operation(
        "ProfileSpotlightsQuery",
        "GET",
        guests=True,
        query_ids={
            "ZQEuHPrIYlvh1NAyIQHP_w": NONE,
        },
    ),
    Operation(
        "UserByRestId",
        "GET",
        guests=True,
        query_ids={
            "xvmVfRLmnr1alc5f2dib0Q": TIMELINE,
            "8r5oa_2vD0WkhIAOkY4TTA": TIMELINE,
            "Lxg1V9AiIzzXEiP2c8dRnw": PROFILE,
        },
    ),
    Operation(
        "UserTweets",
        "GET",
        guests=True,
        query_ids={
            "SXVCYB8XHSS25nzIljNtZA": TIMELINE,
            "E8Wq-_jFSaU7hxVcuOPR9g": TIMELINE,
            "rIIwMe1ObkGh_ByBtTCtRQ": MIDDLE,
        },
    ),
    Operation(
        "TweetResultByRestId",
        "GET",
        guests=True,
        query_ids={
            "2ICDjqPd81tulZcYrtpTuQ": POST,
            "qxWQxcMLiTPcavz9Qy5hwQ": TIMELINE,
        },
    ),
    Operation(
        "TweetDetail",
        "GET",
        guests=False,
        query_ids={
            "XMOz5h24KAZ86qKffKTLdQ": TIMELINE,
            "iFEr5AcP121Og4wx9Yqo3w": TIMELINE,
            "TuC3CinYecrqAyqccUyFhw": MIDDLE,
        },
    ),
    Operation(
        "liveAtomsUserQuery",
        "GET",
        guests=False,
        query_ids={
            "n9VGEKZLhDHED8ouN0dxUw": NONE,
        },
    ),
    Operation(
        "AudioSpaceAddSharing",
        "POST",
        guests=False,
        query_ids={
            "G0NcfBzL8WWWg7KYRzVjUg": NONE,
        },
    ),
    Operation(
        "AudioSpaceDeleteSharing",
        "POST",
        guests=False,
        query_ids={
            "YMbfLMTUUEzEEMibvvR26Q": NONE,
        },
    ),
    Operation(
        "SubscribeToScheduledSpace",
        "POST",
        guests=False,
        query_ids={
            "Sxn4YOlaAwEKjnjWV0h7Mw": NONE,
        },
    ),
    Operation(
        "UnsubscribeFromScheduledSpace",
        "POST",
        guests=False,
        query_ids={
            "Zevhh76Msw574ZSs2NQHGQ": NONE,
        },
    ),
)

BY_NAME = {operation.name: operation for operation in OPERATIONS}

#: What the newest id of `AudioSpaceById` insists on; the scripts list exactly these.
NEWEST_FEATURES = frozenset(
    (
        "spaces_2022_h2_clipping",
        "spaces_2022_h2_spaces_communities",
        "rweb_video_timestamps_enabled",
        "verified_phone_label_enabled",
    )
)
