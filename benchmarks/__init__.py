"""What `make bench` runs. README.md beside this file says what is measured and how to read it."""
