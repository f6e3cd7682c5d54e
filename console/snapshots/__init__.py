"""Taking a snapshot: the chosen part of an engine, read politely and handed to the store, which writes it.

``take`` is the way in, ``part`` what was chosen, ``engine_reader`` reads it through ``questions``, ``variables`` says
which of them are written and how, ``observed_rates`` how often tasks have failed.
"""
