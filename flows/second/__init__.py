"""Second computations: the rules once more, in slow plain Python, for the SQL to disagree with.

Written from the published rules and not from the SQL: exact fractions, one patient at a time. One file per topic. They
import the standard library and nothing else of the project, so that a fault of the project cannot reach both sides.
"""
