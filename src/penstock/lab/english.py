"""The texts of the lab in English: prose as HTML, and the plain words of its figures."""

__all__ = ["PROSE", "SOURCES", "WORDS"]

PROSE = {
    "title": "How recurrent networks remember",
    "lead": "A recurrent network reads a sequence step by step and keeps what it needs in a state. Eight figures "
    "show how it remembers, why it forgets, and what helps. Move the sliders: the numbers were computed by "
    "Penstock’s engine, and the small networks run in this page. Nothing is loaded from anywhere.",
    "contents": "Contents",
    "look": "What to look at.",
    "learn": "What to learn.",
    "formulas": "The formulas",
    "code": "In Penstock",
    "unroll.title": "One network, used again at every step",
    "unroll.text": "The network reads one character at a time. From the character and its state, here eight numbers, "
    "it computes the next state, and that is all it takes along. Drawn once for each step, the loop becomes a chain: "
    "the network <em>unrolled</em> through time (Elman 1990, Werbos 1990). Every copy has the same weights. This one "
    "has learned to say, after every character, whether a bracket is open.",
    "unroll.look": "Press Play, or move the step. The coloured squares are the eight units. They change at a "
    "bracket, and from there on the state carries the news along. Then switch to the folded drawing: it is the same "
    "network.",
    "unroll.learn": "The whole past has to fit into the state. What the network needs later must survive every step "
    "in between: as a state on the way forward, and in training as a gradient on the way back.",
    "gates.title": "Gates decide what is kept",
    "gates.text": "The LSTM (Hochreiter and Schmidhuber 1997) has a second state, the cell state <var>c</var>, which "
    "is added to instead of being multiplied by a matrix. Gates are numbers between 0 and 1, computed anew for every "
    "unit at every step. The input gate says how much is written, the forget gate (Gers, Schmidhuber and Cummins "
    "2000) how much is kept, the output gate how much is shown. The GRU (Cho et al. 2014) makes do with one state "
    "and two gates. Both have learned the same task as the network above, with a penalty on their recurrent weights, "
    "so that the gates do the remembering.",
    "gates.look": "The chosen unit follows the brackets. At a bracket its forget gate closes (in the GRU, its update "
    "gate): the old content goes and a new one is written. Between brackets the gate stays near 1, and the content "
    "stays. Type a long bracket and see whether it lasts.",
    "gates.learn": "To keep something is to multiply it by a number near 1, without a matrix on the way, so values "
    "can last for many steps. Nobody set these gates: the network learned when to open and when to close each.",
    "gradients.title": "Gradients vanish, or explode",
    "gradients.text": "To learn from what happened long ago, training asks how the loss would change if an early "
    "state had been a little different. On the way back that gradient is multiplied once for every step: in a simple "
    "RNN by the recurrent matrix and by the slope of tanh, which is at most 1. A product of many factors shrinks or "
    "grows geometrically (Hochreiter 1991; Bengio, Simard and Frasconi 1994). The figure measures it in untrained "
    "networks of 32 units, as a mean over four random starts.",
    "gradients.look": "A straight line on this logarithmic scale is a constant factor for every step. Move the "
    "recurrent weights: the RNN’s line falls, and with large weights rises. Then raise the bias of the gates that "
    "keep (forget gate in the LSTM, update gate in the GRU): their lines flatten. At bias 0 they fall as well.",
    "gradients.learn": "What does not come back as a gradient can’t be learned, however much it matters. Gated cells "
    "are not immune: half-open gates forget half at every step. But their long path has a factor that can be set "
    "near 1, which a simple RNN does not have. Along that path the gradient can’t explode either; along the others "
    "it can, and with large recurrent weights or wide-open gates it does.",
    "forgetting.title": "Start by remembering: the forget gate’s bias",
    "forgetting.text": "Before training, the forget gate is about σ(<var>b</var>), with <var>b</var> its bias. At "
    "<var>b</var> = 0 every step halves the memory. A larger bias lets the LSTM remember first and learn to forget "
    "later (Gers, Schmidhuber and Cummins 2000; Jozefowicz, Zaremba and Sutskever 2015). The task of the second "
    "chart is the simplest that needs memory: the first step shows +1 or −1, then come 49 steps of noise, and then "
    "the network has to tell the first number. Guessing costs 1.",
    "forgetting.look": "Move the bias from −2 to 6. In the first chart the gradient’s line flattens. The gate alone, "
    "σ(<var>b</var>) once for each step, gives the lower line; the paths through <var>h</var> add to it, and with a "
    "large bias let the gradient even grow. In the second the same LSTM goes from not learning at all to learning "
    "quickly, with nothing else changed.",
    "forgetting.learn": "A start that remembers for about as long as the task needs makes the difference. A bias of "
    "1 is a good habit for short tasks, but not for 50 steps, as the figure shows; chrono initialisation chooses it "
    "by the length to expect (Tallec and Ollivier 2018).",
    "start.title": "An orthogonal start",
    "start.text": "A simple RNN has no gate that could be opened, but its matrix can start well. With small random "
    "weights most directions of the state are squeezed out in a few steps. An orthogonal matrix only turns the "
    "state, and lengthens or shortens nothing, however often it is applied (Saxe, McClelland and Ganguli 2014, for "
    "deep linear networks). Le, Jaitly and Hinton (2015) start at the identity, with ReLU in place of tanh.",
    "start.look": "First, how strongly the matrix passes on each of 32 directions after so many steps: the "
    "orthogonal line stays at 1, the other plunges. Second, the memory task of figure 4 with simple RNNs: make it "
    "longer and see which start still learns.",
    "start.learn": "The start decides whether a gradient comes back at all, and so whether training can begin. It "
    "promises nothing about later: the slope of tanh still shrinks the gradient, and training moves the matrix away "
    "from where it started.",
    "clipping.title": "Clipping an exploding gradient",
    "clipping.text": "Where gradients explode, the loss has walls. Here is the whole loss of the smallest RNN, one "
    "unit with one recurrent weight and one bias, that is to be at 0.3 after 50 steps. A valley and a high plateau "
    "meet in a wall, and the gradient is about a hundred times larger there than beside it. Clipping keeps the "
    "gradient’s direction, and limits its length to a threshold (Pascanu, Mikolov and Bengio 2013).",
    "clipping.look": "Without clipping the path slides down gently, touches the wall, and one huge step throws it "
    "out of the picture. Lower the threshold: the path stays near the wall and descends along it. With a very low "
    "threshold it is safe, but slow.",
    "clipping.learn": "One bad step can undo a training. Clipping makes such a step short and changes no other. It "
    "does nothing against vanishing gradients: a gradient that is not there can’t be made longer by a limit.",
    "timing.title": "Peepholes: to tell the time",
    "timing.text": "The gates of an LSTM see the output <var>h</var>. While the output gate is closed, <var>h</var> "
    "is 0 and a unit’s gates are blind to its own memory. Peepholes let them see the cell state <var>c</var> (Gers "
    "and Schmidhuber 2000; Gers, Schraudolph and Schmidhuber 2002). With them, one unit is a clock: the cell state "
    "grows a little at every step, and when it reaches 1 the output gate opens for one step and the forget gate "
    "resets the memory. Its weights were set by hand, to show that it can be done.",
    "timing.look": "Set the interval: the unit spikes at exactly that step, every time. Then take the peepholes "
    "away: the memory grows on and on, no gate notices, and no spike ever comes.",
    "timing.learn": "A gate can act only on what it sees. Peepholes matter where one unit has to measure exact "
    "intervals without showing that it does. They are no cure-all: two units manage without, since one can show its "
    "count to the other, and in these trainings they succeed even more often. Most tasks need no peepholes.",
    "truncation.title": "Truncated backpropagation",
    "truncation.text": "To go back over the whole sequence takes memory for all of its states. Truncated "
    "backpropagation through time goes back only some steps, while the state still comes from the beginning "
    "(Williams and Peng 1990). The task is the one of figure 4 with 20 steps: the bit is shown at the first step and "
    "asked for after the last.",
    "truncation.look": "Move the number of steps. As long as the gradient does not reach the first step, the LSTM "
    "with forget bias 1 learns nothing in 600 updates: at 20 steps it learns, and at 19 it does not. With forget "
    "bias 3 the state happens to carry a trace of the bit, and shorter ones get somewhere, but unsteadily: the "
    "network learns to read the trace, not to write it.",
    "truncation.learn": "Truncation decides what can be learned, not what can be remembered. A dependency longer "
    "than the truncation gets no gradient of its own. Choose at least the distance that you expect in the data.",
    "sources.title": "Sources",
    "sources.how": "The data of every figure is made by <code>python -m penstock.lab.compute</code>, with fixed "
    "seeds. Learning curves are medians over three seeds, of the training loss in batches of 32.",
    "formula.state": "state and output",
    "formula.input_gate": "input gate",
    "formula.forget_gate": "forget gate",
    "formula.cell_candidate": "candidate (LSTM)",
    "formula.cell_state": "cell state",
    "formula.output_gate": "output gate",
    "formula.output": "output",
    "formula.reset_gate": "reset gate (GRU)",
    "formula.update_gate": "update gate",
    "formula.candidate": "candidate, reset after the product",
    "formula.gru_state": "state and output",
    "formula.rnn_path": "simple RNN",
    "formula.rnn_bound": "its bound: it vanishes for certain if the largest singular value is below 1",
    "formula.lstm_path": "LSTM, along the cell state, gates held fixed",
    "formula.gru_path": "GRU, along the update gates, gates held fixed",
    "formula.forget_rate": "what is left after k steps; fades by the factor e in about 1 / (1 − f) steps",
    "formula.orthogonality": "the length of v never changes",
    "formula.clip_rule": "θ: the threshold, g: the gradient of all parameters",
    "formula.truncated_sum": "only the last k steps count",
}

SOURCES = (
    "S. Hochreiter, “Untersuchungen zu dynamischen neuronalen Netzen”, diploma thesis, Technische Universität "
    "München, 1991.",
    "Y. Bengio, P. Simard, P. Frasconi, “Learning long-term dependencies with gradient descent is difficult”, IEEE "
    "Transactions on Neural Networks 5, 1994.",
    "S. Hochreiter, J. Schmidhuber, “Long short-term memory”, Neural Computation 9, 1997.",
    "F. A. Gers, J. Schmidhuber, F. Cummins, “Learning to forget: continual prediction with LSTM”, Neural "
    "Computation 12, 2000.",
    "F. A. Gers, J. Schmidhuber, “Recurrent nets that time and count”, IJCNN 2000.",
    "F. A. Gers, N. N. Schraudolph, J. Schmidhuber, “Learning precise timing with LSTM recurrent networks”, Journal "
    "of Machine Learning Research 3, 2002.",
    "K. Cho et al., “Learning phrase representations using RNN encoder–decoder for statistical machine translation”, "
    "EMNLP 2014, arXiv:1406.1078.",
    "Q. V. Le, N. Jaitly, G. E. Hinton, “A simple way to initialize recurrent networks of rectified linear units”, "
    "2015, arXiv:1504.00941.",
    "A. M. Saxe, J. L. McClelland, S. Ganguli, “Exact solutions to the nonlinear dynamics of learning in deep linear "
    "neural networks”, ICLR 2014, arXiv:1312.6120.",
    "R. Pascanu, T. Mikolov, Y. Bengio, “On the difficulty of training recurrent neural networks”, ICML 2013, "
    "arXiv:1211.5063.",
    "R. J. Williams, J. Peng, “An efficient gradient-based algorithm for on-line training of recurrent network "
    "trajectories”, Neural Computation 2, 1990.",
    "R. Jozefowicz, W. Zaremba, I. Sutskever, “An empirical exploration of recurrent network architectures”, ICML "
    "2015.",
    "C. Tallec, Y. Ollivier, “Can recurrent neural networks warp time?”, ICLR 2018, arXiv:1804.11188.",
    "J. L. Elman, “Finding structure in time”, Cognitive Science 14, 1990.",
    "P. J. Werbos, “Backpropagation through time: what it does and how to do it”, Proceedings of the IEEE 78, 1990.",
)

WORDS = {
    "language": "Language",
    "rnn": "RNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "sentence": "Text",
    "sentenceFirst": "It works (most of the time) in steps.",
    "sentenceGates": "Rivers (even small ones) carve valleys (slowly).",
    "step": "Step",
    "stepOf": "{step} of {steps}",
    "play": "Play",
    "pause": "Pause",
    "form": "Drawing",
    "unrolled": "Unrolled",
    "folded": "Folded",
    "unrollFirst": "Step 1 reads “{character}” with an empty state. Probability that a bracket is open: {open}.",
    "unrollTold": "Step {step} reads “{character}” and the state of step {before}. Probability that a bracket is "
    "open: {open}.",
    "cell": "Network",
    "show": "Show",
    "unit": "Unit",
    "forget": "forget gate",
    "input": "input gate",
    "output": "output gate",
    "update": "update gate",
    "reset": "reset gate",
    "candidate": "candidate",
    "c": "cell state c",
    "h": "output h",
    "hGru": "state h",
    "closed": "closed",
    "opened": "open",
    "gatesMap": "Heat map: {what} of each unit at each character. Arrow keys move.",
    "gatesChart": "Gates of the unit, from 0 (closed) to 1 (open)",
    "statesChart": "States of the unit",
    "openChart": "The network’s answer: probability that a bracket is open",
    "openName": "open?",
    "lstmTold": "At “{character}”, unit {unit} keeps {forget} of its memory (forget gate) and writes {input} of the "
    "candidate {candidate} (input gate): its memory goes from {before} to {after}, of which it shows {output} "
    "(output gate).",
    "gruTold": "At “{character}”, unit {unit} keeps {update} of its state (update gate) and takes {rest} of the "
    "candidate {candidate}, which read {reset} of what the units said before (reset gate): its state goes from "
    "{before} to {after}.",
    "distance": "Distance",
    "stepsBack": "{steps} steps back",
    "stepsLong": "{steps} steps",
    "scale": "Recurrent weights: largest eigenvalue, about",
    "gateBias": "Bias of the gates that keep",
    "gradientChart": "Gradient that arrives (1 = all of it), by steps back",
    "gradientTold": "{distance} steps back, this much of the gradient arrives: RNN {rnn}, LSTM {lstm}, GRU {gru}.",
    "nothing": "practically nothing",
    "forgetBias": "Forget bias",
    "forgetBias1": "Forget bias 1",
    "forgetBias3": "Forget bias 3",
    "forgetTold": "The gate starts at about {gate}: the memory halves in {half} steps, and {arrives} of it is left "
    "over {steps} steps.",
    "learned": "The network learns the task.",
    "partly": "The network learns it in part.",
    "notLearned": "The network does not learn the task.",
    "measured": "measured",
    "gateAlone": "gate alone",
    "learningChart": "Learning curve: mean squared error by updates",
    "powerOf": "Applied over",
    "spectrumChart": "Stretch of each of the 32 directions (1 = unchanged)",
    "spectrumTold": "After {steps} steps the uniform start stretches its strongest direction by {largest}, its "
    "weakest by {smallest}. The orthogonal one leaves all at 1.",
    "uniform": "uniform",
    "orthogonal": "orthogonal",
    "identity": "identity",
    "taskDistance": "Length of the task",
    "startTold": "Over {steps} steps learned by: {learned}.",
    "comma": ", ",
    "betweenSentences": " ",
    "none": "none",
    "threshold": "Threshold",
    "noClipping": "no clipping",
    "updates": "Updates",
    "surfaceChart": "The loss (blue: high) and the path over it",
    "surfaceLabel": "Map of the loss by recurrent weight and bias, with the path of the descent",
    "surfaceWeight": "recurrent weight",
    "surfaceBias": "bias",
    "normChart": "Length of the gradient before clipping, by update",
    "clipTold": "After {updates} updates the loss is {loss}; the longest gradient so far had length {norm}.",
    "interval": "Interval",
    "peepholes": "Peepholes",
    "peepholesOn": "With peepholes",
    "peepholesOff": "Without",
    "spikeChart": "What the unit shows: output h",
    "clockChart": "What it remembers: cell state c",
    "clockTold": "A spike every {interval} steps: at {ticks} and so on.",
    "clockBlind": "No spike. After 120 steps the cell state is {memory}, and no gate has noticed.",
    "trainedTitle": "And what do LSTMs learn of it?",
    "trainedText": "Each dot is one training from random weights, with as many units as it says and a linear output. "
    "Further left is better: the error, 1 being that of the best constant.",
    "trainedInterval": "Interval to learn",
    "oneWithout": "1 unit, without peepholes",
    "oneWith": "1 unit, with peepholes",
    "twoWithout": "2 units, without peepholes",
    "twoWith": "2 units, with peepholes",
    "trainedTold": "An error below a fifth was reached by one unit in {oneWith} of {seeds} trainings with peepholes "
    "and {oneWithout} without; by two units in {twoWith} with and {twoWithout} without.",
    "back": "The gradient goes back",
    "backTold": "The gradient goes back {back} of {steps} steps and does not reach the bit.",
    "backWhole": "The gradient goes back all {steps} steps and reaches the bit.",
    "backLabel": "{steps} steps; the gradient reaches those from step {reached} on",
    "bitHere": "the bit is shown",
    "askedHere": "asked here",
    "gradientBack": "the gradient’s way back",
}
