"""What there is to say of each rule: why it is there, a bad and a good script (`*.toml`), and the pages made of them.

The examples are written for the small domain in `example/`.
"""
