"""The life of a batch: creation, seed job, batch jobs, monitor job.

The engine that this contract comes from keeps all ids of a batch in one JSON blob that every seed job rewrites, so N
tasks cost N²/200 id-writes. Here the ids are rows with an ordinal, a seed job takes the next slice by a cursor, and
jobs are carried out in sets; what can be seen from outside is the same, the cost is linear.
"""
