"""Pictures of a run for a slide: what was moved, what it did to the antibody, session by session.

The only place that knows matplotlib. Each function takes a result, computes nothing that a table
would also show, and returns a `matplotlib.figure.Figure`; `rendered` and `save` make files of it.
"""

from simulator.figures.animation import animation as animation
from simulator.figures.bands import bands as bands
from simulator.figures.comparison import comparison as comparison
from simulator.figures.comparison import setting_in_words as setting_in_words
from simulator.figures.files import rendered as rendered
from simulator.figures.files import save as save
from simulator.figures.sensitivity import sensitivity as sensitivity
from simulator.figures.sessions import sessions as sessions
from simulator.figures.solutes import solutes as solutes
from simulator.figures.sweep import sweep_pictures as sweep_pictures
from simulator.figures.tornado import tornado as tornado
from simulator.figures.verification import verification as verification
from simulator.figures.volumes import volumes as volumes
