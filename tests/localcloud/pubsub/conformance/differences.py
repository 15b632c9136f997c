"""Where ours differs from Google's emulator 0.8.20, and the documentation that ours follows. The emulator must fail each.

A page stands for cloud.google.com/pubsub/docs/<page>, a proto for its comment in googleapis/googleapis.
"""

DIFFERENCES: dict[str, str] = {
    "test_a_message_that_breaks_a_limit_is_refused[key]": (
        "quotas#resource_limits: 100 attributes, keys of 256 bytes, values of 1,024 bytes; the emulator checks none"
    ),
    "test_a_message_that_breaks_a_limit_is_refused[value]": (
        "quotas#resource_limits: 100 attributes, keys of 256 bytes, values of 1,024 bytes; the emulator checks none"
    ),
    "test_a_message_that_breaks_a_limit_is_refused[attributes]": (
        "quotas#resource_limits: 100 attributes, keys of 256 bytes, values of 1,024 bytes; the emulator checks none"
    ),
    "test_a_message_that_breaks_a_limit_is_refused[goog]": (
        'publisher#using-attributes: keys must not start with "goog"; the emulator takes them'
    ),
    "test_a_message_that_breaks_a_limit_is_refused[no-key]": (
        "publisher#using-attributes: keys are not empty; the emulator takes them"
    ),
    "test_a_message_that_breaks_a_limit_is_refused[ordering-key]": (
        "ordering: keys of at most 1 KB; the emulator takes longer ones"
    ),
    "test_a_message_that_breaks_a_limit_is_refused[big]": (
        "quotas#resource_limits: a request of at most 10 MB; the emulator takes more"
    ),
    "test_flow_control_holds_a_stream_back": (
        "pubsub.proto StreamingPullRequest.max_outstanding_messages: an acknowledgement makes room; the emulator sends no more"
    ),
    "test_a_nack_brings_all_that_follow_in_the_key_again": (
        "ordering: a redelivered message brings all that follow again, in order; the emulator only delivers it"
    ),
    "test_a_filter_holds_messages_back": (
        "subscription-message-filter: what does not match is not delivered; the emulator delivers it"
    ),
    "test_a_stream_confirms_acknowledgements": (
        "pubsub.proto StreamingPullResponse.acknowledge_confirmation, modify_ack_deadline_confirmation; the emulator sends none"
    ),
    "test_these_statuses_acknowledge[others]": (
        "push#receive_push: 102, 200, 201, 202 and 204 acknowledge; the emulator pushes again after 102 and 202"
    ),
    "test_an_unwrapped_message_is_not_called_a_form": (
        "payload-unwrapping: the body is the data itself; the emulator calls it application/x-www-form-urlencoded"
    ),
    "test_a_token_proves_who_pushes": (
        "authenticate-push-subscriptions: an OIDC token where the push config names an account; the emulator sends none"
    ),
    "test_the_endpoint_is_told_the_ordering_key": "push#receive_push: message.orderingKey; the emulator leaves it out",
    "test_the_endpoint_is_told_the_attempt_where_attempts_count": (
        "handling-failures#track-delivery-attempts: deliveryAttempt; the emulator leaves it out"
    ),
    "test_a_push_subscription_cannot_be_pulled": (
        "pubsub.proto Subscription.push_config: with an endpoint it is not a pull subscription; the emulator serves both"
    ),
    "test_a_subscription_that_nobody_uses_expires_after_31_days_unless_told_otherwise": (
        "pubsub.proto Subscription.expiration_policy: 31 days where none is set; the emulator shows none"
    ),
    "test_labels_can_be_updated": (
        "pubsub.proto UpdateSubscriptionRequest: labels are no exception; the emulator knows no such field"
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
        "subscription-message-filter#filtering_syntax: what nobody can read is refused; the emulator takes anything"
    ),
    "test_a_detached_subscription_is_not_served": "pubsub.proto Publisher.DetachSubscription; unimplemented in the emulator",
    "test_iam_policies_are_kept": "iam_policy.proto GetIamPolicy, SetIamPolicy; unimplemented in the emulator",
    "test_a_snapshots_labels_can_be_updated": "pubsub.proto Subscriber.UpdateSnapshot; unimplemented in the emulator",
    "test_ordered_messages_come_again_in_order": (
        "pubsub.proto Subscriber.Seek has no exception for ordered subscriptions; unimplemented in the emulator"
    ),
}
