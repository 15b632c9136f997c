"""Object bytes: uploads, downloads, and the formats in which they travel."""
