"""Compare the list in deploy.sh with a Google Cloud project, and run gcloud where they differ.

Standard library only, so that deploying needs nothing but bash, Python 3.11 and gcloud. That holds for the parts of shared too, by
which pipeline.toml and the settings are checked here as the services check them.

    deploy.sh     the list: one line per resource, in the order of creation
    __main__      the commands; plan and up are `everything`, the others are status · doctor · env · verify · down
    alone         one command at a time
    command_line  from the arguments and the --env-file to options; --help
    options       each option: its default, its check
    kept          the options of the last `up`
    listing       the lines of deploy.sh
    reading       gcloud's lists and policies, read side by side; answers turns their JSON into dataclasses
    state         these dataclasses: kinds, and observed by Logging and Monitoring; variables are those of a service
    deployment    options, names and state of one deployment
    everything    from a line of the list to its commands
    buckets · pubsub · queues · scheduler · services · secret_manager · image · grants · roles · watching · budget
                  one module per kind of resource: wanted state, and the commands for what differs
    checks        the settings of each service, checked
    capacity      pipeline.toml, checked; the size of all instances together
    webhooks      those of pipeline.toml, checked, and their secrets
    left          services, accounts and queues that pipeline.toml no longer has
    drift         fields of buckets, topics and subscriptions that differ
    sandbox       whether each pool's host enforces all of the sandbox, by its log
    photograph    the steps that `verify` asks for
    sources       the tag of the image: a hash of its files
    lock          `make lock`: the hashes of the image's packages
    running       prints commands and, unless it only plans, runs them, with retries
    gcloud        one call of gcloud, and a command as a user would type it
    errors        what ends a command
"""
