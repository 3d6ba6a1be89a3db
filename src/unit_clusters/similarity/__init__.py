"""How similar two hidden units are: the eight measures (section 3.1), in closed form or for any torch module."""
