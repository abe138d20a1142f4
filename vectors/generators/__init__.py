"""The generators of the test vectors. Run `python -m generators` in vectors/ to make data/ again.

    families/    one module or package for each family, with a function build()
    support/     what families share: the form of a file, and the people, messages and scripts in them

Families import support, and support imports no family.
"""
