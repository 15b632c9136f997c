"""The measurements of `make bench`. README.md beside this file explains them."""
