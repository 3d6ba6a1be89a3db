"""Data sets: where they come from, their files, and images on a device."""
