"""Methods that are made of others. May use every method; no method outside may use another.

``composition``   runs methods one after the other, and says of all together what a method says of itself
``svd_repair``, ``unsir_repair``   a method, and then ``repair``
``pgu_fresh_top``, ``unsir_fresh_top``   forgetting in the features, then in the head, and then ``repair``

A composition is a method like any other: one record, one coverage, one cost.
"""
