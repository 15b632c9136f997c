"""Runs each step in a child process, which is killed at its limits and reaches nothing but its file.

service      START HERE: `Sandbox` runs a step          zygote        forks a child for each call; never sees a file
connection   the service's end of the zygote            child         the child, from its fork to its end
messages     between service and zygote                 confinement   the limits of a child, and all it gives up
outcome      from a child's end to a verdict            landlock, seccomp, denied, linux   the system calls for it
watch        looks at a running child                   elf           the loader of a program that a child starts
room         the memory of the service, shared          files, folders   the outputs of a child; folders of deliveries
protocol     `Sandbox` as the pipeline sees it

It imports nothing: what the zygote loads, each child pays for.
"""
