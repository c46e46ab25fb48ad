"""What every lesson uses, whatever its topic: exercises, explorers, figures and the start of a run.

`exercise` says what a learner's function must do, and `examine` tries it step by step. They rest on modules of one idea
each: `guard` closes the reference while the learner's function runs, `limits` stops a call that does not end, `sandbox`
puts both around one call, `compare` says how two results differ, `verdict` shows the outcome and `results` remembers
it. Nothing in here knows a topic, and a check needs IPython only where it runs inside it.
"""
