"""Differences from Google's emulator 0.8.20, each with the documentation that the local service follows.

The emulator must fail each of these tests. A page name stands for cloud.google.com/pubsub/docs/<page>, a proto file for its comment
in googleapis/googleapis.
"""

DIFFERENCES: dict[str, str] = {
    "test_a_message_over_a_limit_is_refused[key]": (
        "quotas#resource_limits: 100 attributes, keys of 256 bytes, values of 1,024 bytes; the emulator checks none"
    ),
    "test_a_message_over_a_limit_is_refused[value]": (
        "quotas#resource_limits: 100 attributes, keys of 256 bytes, values of 1,024 bytes; the emulator checks none"
    ),
    "test_a_message_over_a_limit_is_refused[attributes]": (
        "quotas#resource_limits: 100 attributes, keys of 256 bytes, values of 1,024 bytes; the emulator checks none"
    ),
    "test_a_message_over_a_limit_is_refused[goog]": (
        'publisher#using-attributes: keys must not start with "goog"; the emulator takes them'
    ),
    "test_a_message_over_a_limit_is_refused[no-key]": (
        "publisher#using-attributes: keys are not empty; the emulator takes them"
    ),
    "test_a_message_over_a_limit_is_refused[ordering-key]": ("ordering: keys of at most 1 KB; the emulator takes longer ones"),
    "test_a_message_over_a_limit_is_refused[big]": (
        "quotas#resource_limits: a request of at most 10 MB; the emulator takes more"
    ),
    "test_flow_control_limits_a_stream": (
        "pubsub.proto StreamingPullRequest.max_outstanding_messages: an acknowledgement makes room; the emulator sends no more"
    ),
    "test_a_nack_repeats_all_later_messages_of_its_key": (
        "ordering: a redelivered message is followed by all later ones, in order; the emulator redelivers only it"
    ),
    "test_only_messages_that_match_the_filter_are_delivered": (
        "subscription-message-filter: messages that do not match are not delivered; the emulator delivers them"
    ),
    "test_a_stream_confirms_acknowledgements": (
        "pubsub.proto StreamingPullResponse.acknowledge_confirmation, modify_ack_deadline_confirmation; the emulator sends none"
    ),
    "test_these_statuses_acknowledge[others]": (
        "push#receive_push: 102, 200, 201, 202 and 204 acknowledge; the emulator pushes again after 102 and 202"
    ),
    "test_an_unwrapped_message_has_no_form_content_type": (
        "payload-unwrapping: the body is the data; the emulator labels it application/x-www-form-urlencoded"
    ),
    "test_a_push_carries_a_token_of_its_account": (
        "authenticate-push-subscriptions: an OIDC token if the push config names an account; the emulator sends none"
    ),
    "test_a_push_contains_the_ordering_key": "push#receive_push: message.orderingKey; the emulator leaves it out",
    "test_a_push_contains_the_counted_attempt": (
        "handling-failures#track-delivery-attempts: deliveryAttempt; the emulator leaves it out"
    ),
    "test_a_push_subscription_cannot_be_pulled": (
        "pubsub.proto Subscription.push_config: with an endpoint it is not a pull subscription; the emulator serves both"
    ),
    "test_an_unused_subscription_expires_after_31_days_by_default": (
        "pubsub.proto Subscription.expiration_policy: 31 days by default; the emulator shows none"
    ),
    "test_labels_can_be_updated": (
        "pubsub.proto UpdateSubscriptionRequest: labels can be updated; the emulator refuses the field"
    ),
    "test_a_subscription_that_breaks_a_documented_rule_is_refused[deadline]": (
        "pubsub.proto Subscription.ack_deadline_seconds: at least 10 seconds; the emulator takes 9"
    ),
    "test_a_subscription_that_breaks_a_documented_rule_is_refused[expiration]": (
        "pubsub.proto ExpirationPolicy.ttl: at least a day; the emulator takes a minute"
    ),
    "test_a_subscription_that_breaks_a_documented_rule_is_refused[exactly-once-push]": (
        "exactly-once-delivery: only for pull; the emulator takes it for push"
    ),
    "test_a_subscription_that_breaks_a_documented_rule_is_refused[filter]": (
        "subscription-message-filter#filtering_syntax: invalid filters are refused; the emulator takes any text"
    ),
    "test_a_detached_subscription_is_not_served": "pubsub.proto Publisher.DetachSubscription; unimplemented in the emulator",
    "test_iam_policies_are_stored": "iam_policy.proto GetIamPolicy, SetIamPolicy; unimplemented in the emulator",
    "test_a_snapshots_labels_can_be_updated": "pubsub.proto Subscriber.UpdateSnapshot; unimplemented in the emulator",
    "test_a_seek_replays_ordered_messages_in_order": (
        "pubsub.proto Subscriber.Seek includes ordered subscriptions; unimplemented in the emulator"
    ),
}
