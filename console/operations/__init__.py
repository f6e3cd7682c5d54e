"""Operations: everything that changes many things at once, each in a file of its own.

An operation (:mod:`retriage.console.operations.operation`) says which units of a selection it takes and which it leaves
out and why, the request that is sent, what proves its effect, and the way back.
"""
