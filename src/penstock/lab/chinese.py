"""The texts of the lab in Chinese, under the same keys as in `english`."""

__all__ = ["PROSE", "WORDS"]

PROSE = {
    "title": "循环神经网络怎样记忆",
    "lead": "循环神经网络一步一步地读序列，把需要的东西留在状态里。下面八幅图说明它怎样记住、为什么会忘、有什么办法。"
    "请拖动滑块：图中的数都由 Penstock 的引擎算出，小网络就在本页里运行，不从任何地方加载内容。",
    "contents": "目录",
    "look": "看什么：",
    "learn": "要点：",
    "formulas": "公式",
    "code": "在 Penstock 里",
    "unroll.title": "同一个网络，每一步用一次",
    "unroll.text": "网络每次读一个字符，由这个字符和自己的状态（这里是八个数）算出下一步的状态，带走的只有这些。把循"
    "环的每一步各画一遍，就成了一条链，这叫<em>沿时间展开</em>（Elman 1990，Werbos 1990），每一份用的都是同一组权重。"
    "这个网络学会了在每个字符之后判断：此刻是否在括号里。",
    "unroll.look": "点“播放”，或拖动步数。彩色方块是八个单元：遇到括号时它们变化，此后状态把这个消息一路带下去。再切"
    "换到折叠的画法：还是同一个网络。",
    "unroll.learn": "过去的一切都要装进状态。以后用得到的东西，必须经得起中间的每一步：前向时作为状态，训练时作为往回"
    "传的梯度。",
    "gates.title": "门决定留下什么",
    "gates.text": "LSTM（Hochreiter 和 Schmidhuber 1997）多了一个状态，即细胞状态 <var>c</var>，它的更新靠相加，而不"
    "是乘以矩阵。门是 0 到 1 之间的数，每一步、每个单元都重新计算：输入门决定写入多少，遗忘门（Gers、Schmidhuber 和 "
    "Cummins 2000）决定保留多少，输出门决定显露多少。GRU（Cho 等人 2014）只用一个状态和两个门。两个网络学的任务与上图"
    "相同；训练时对循环权重加了惩罚，让记忆的工作由门来做。",
    "gates.look": "选中的单元跟着括号走。遇到括号时，它的遗忘门（GRU 里是更新门）关上：旧内容被擦掉，写入新内容。两个"
    "括号之间，门一直接近 1，内容也就留着。试着输入一对隔得很远的括号，看它能否撑到最后。",
    "gates.learn": "保留，就是乘以一个接近 1 的数，途中没有矩阵，所以值能维持很多步。这些门没有人设定：何时开、何时"
    "关，是网络自己学会的。",
    "gradients.title": "梯度消失，或者爆炸",
    "gradients.text": "要从很久以前的事情里学习，训练就要问：早先的状态若稍有不同，损失会怎样变。这个梯度往回传时，每"
    "一步都要多乘一次：在简单 RNN 里乘的是循环矩阵和 tanh 的斜率，后者至多为 1。许多因子连乘，结果按几何级数缩小或增"
    "大（Hochreiter 1991；Bengio、Simard 和 Frasconi 1994）。图中在未训练的 32 单元网络上测量，取四次随机初始化的平"
    "均。",
    "gradients.look": "纵轴是对数刻度，直线意味着每一步乘以同一个因子。拖动循环权重：RNN 的线往下掉，权重大时往上升。"
    "再提高负责保留的门（LSTM 的遗忘门、GRU 的更新门）的偏置：它们的线变平。偏置为 0 时，它们同样往下掉。",
    "gradients.learn": "传不回梯度的东西，再重要也学不到。门控单元并非天生免疫：门半开时，每一步都忘掉一半。但它们的"
    "长程通路上有一个可以设在 1 附近的因子，简单 RNN 没有。沿这条通路，梯度也不会爆炸；沿其他通路则可能，循环权重大或"
    "门大开时就会发生。",
    "forgetting.title": "先学会记住：遗忘门的偏置",
    "forgetting.text": "训练之前，遗忘门大约等于 σ(<var>b</var>)，<var>b</var> 是它的偏置。<var>b</var> = 0 时，每一"
    "步记忆减半。偏置大一些，LSTM 就先记住，再学会忘记（Gers、Schmidhuber 和 Cummins 2000；Jozefowicz、Zaremba 和 "
    "Sutskever 2015）。第二幅小图的任务是需要记忆的任务中最简单的：第一步给出 +1 或 −1，接着是 49 步噪声，最后要说出"
    "第一个数。靠猜，误差是 1。",
    "forgetting.look": "把偏置从 −2 拖到 6。第一幅小图中梯度的线逐渐变平。下面那条线只算门本身，每一步乘一次 "
    "σ(<var>b</var>)；经过 <var>h</var> 的通路使它更高，偏置很大时，梯度甚至会增大。第二幅小图中同一个 LSTM 从完全学"
    "不会变成很快学会，别的什么也没有改。",
    "forgetting.learn": "初始的记忆时长与任务所需相当，是成败的关键。偏置取 1 适合短任务，但正如图中所示，对 50 步并"
    "不够；chrono 初始化按预期的长度来选偏置（Tallec 和 Ollivier 2018）。",
    "start.title": "正交初始化",
    "start.text": "简单 RNN 没有可以打开的门，但矩阵可以有好的开始。若从小的随机权重开始，状态的大多数方向几步之内就"
    "被压缩殆尽。正交矩阵只旋转状态，无论乘多少次，都不拉长也不缩短（Saxe、McClelland 和 Ganguli 2014，针对深层线性网"
    "络）。Le、Jaitly 和 Hinton（2015）则从单位矩阵开始，并用 ReLU 代替 tanh。",
    "start.look": "第一幅小图：经过若干步之后，矩阵在 32 个方向上各传过去多少。正交的线始终在 1，另一条直往下坠。第二"
    "幅小图：用简单 RNN 做图 4 的记忆任务；把任务加长，看哪种初始化还学得会。",
    "start.learn": "初始化决定梯度能不能传回来，也就决定训练能不能起步。它不保证后来：tanh 的斜率照样缩小梯度，训练也"
    "会让矩阵离开出发的地方。",
    "clipping.title": "裁剪爆炸的梯度",
    "clipping.text": "梯度会爆炸的地方，损失里有陡壁。图中是最小的 RNN 的全部损失：一个单元，一个循环权重，一个偏置，"
    "目标是 50 步之后等于 0.3。谷地和高台之间是一道陡壁，壁上的梯度是旁边的上百倍。裁剪保持梯度的方向，只把长度限制在"
    "阈值之内（Pascanu、Mikolov 和 Bengio 2013）。",
    "clipping.look": "不裁剪时，路径缓缓下滑，一碰到陡壁，巨大的一步就把它甩到图外。降低阈值：路径留在壁旁，沿着它往"
    "下走。阈值很低时虽然安全，却很慢。",
    "clipping.learn": "糟糕的一步能毁掉整个训练。裁剪把这样的一步缩短，其余的步子不变。它对梯度消失无能为力：没有的梯"
    "度，设上限也不会变长。",
    "timing.title": "窥视孔连接：用来计时",
    "timing.text": "LSTM 的门看到的是输出 <var>h</var>。输出门关着时，<var>h</var> 为 0，单元的门就看不见自己的记忆。"
    "窥视孔连接让门看到细胞状态 <var>c</var>（Gers 和 Schmidhuber 2000；Gers、Schraudolph 和 Schmidhuber 2002）。有了"
    "它，一个单元就是一座钟：细胞状态每步增长一点，到 1 时输出门打开一步，遗忘门随即清空记忆。这里的权重是手工设定"
    "的，用来说明这是做得到的。",
    "timing.look": "设定间隔：单元每次都恰好在那一步发出脉冲。再去掉窥视孔连接：记忆一直增长，没有一个门察觉，脉冲也"
    "就永远不来。",
    "timing.learn": "门只能根据它看得到的东西行动。如果一个单元要精确计时，又不显露自己在计时，窥视孔连接就很重要。它"
    "不是万能的：两个单元没有它也行，因为一个可以把计数显露给另一个看，在这些训练里成功得甚至更多。多数任务用不着它。",
    "truncation.title": "截断的反向传播",
    "truncation.text": "沿整个序列往回传，要存下所有的状态。截断的沿时间反向传播只往回走若干步，而状态仍从头传来"
    "（Williams 和 Peng 1990）。任务与图 4 相同，共 20 步：第一步给出一个比特，最后一步之后要说出它。",
    "truncation.look": "拖动步数。只要梯度到不了第一步，遗忘门偏置为 1 的 LSTM 更新 600 次也什么都学不到：20 步学得"
    "会，19 步学不会。偏置为 3 时，状态里碰巧带着那个比特的痕迹，较短的截断也有所得，但不稳定：网络学会了读这个痕迹，"
    "却学不会写。",
    "truncation.learn": "截断决定什么能学到，而不是什么能记住。比截断更长的依赖关系得不到自己的梯度。截断长度至少要取"
    "数据中预期的距离。",
    "sources.title": "文献",
    "sources.how": "各图的数据由 <code>python -m penstock.lab.compute</code> 以固定的随机种子算出。学习曲线是三个种子"
    "的中位数，画的是每批 32 个序列的训练损失。",
    "formula.state": "状态，也是输出",
    "formula.input_gate": "输入门",
    "formula.forget_gate": "遗忘门",
    "formula.cell_candidate": "候选值（LSTM）",
    "formula.cell_state": "细胞状态",
    "formula.output_gate": "输出门",
    "formula.output": "输出",
    "formula.reset_gate": "重置门（GRU）",
    "formula.update_gate": "更新门",
    "formula.candidate": "候选状态，重置在乘积之后",
    "formula.gru_state": "状态，也是输出",
    "formula.rnn_path": "简单 RNN",
    "formula.rnn_bound": "它的上界：最大奇异值小于 1 时必然消失",
    "formula.lstm_path": "LSTM，沿细胞状态，各个门保持不变",
    "formula.gru_path": "GRU，沿更新门，各个门保持不变",
    "formula.forget_rate": "k 步之后剩下的比例；约经过 1 / (1 − f) 步衰减到 e 分之一",
    "formula.orthogonality": "v 的长度永远不变",
    "formula.clip_rule": "θ 是阈值，g 是全部参数的梯度",
    "formula.truncated_sum": "只计最后 k 步",
}

WORDS = {
    "language": "语言",
    "rnn": "RNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "sentence": "文本",
    "sentenceFirst": "它一步一步（多半很准）地读下去。",
    "sentenceGates": "河流（哪怕很小）也会（慢慢地）切出山谷，绵延千里。",
    "step": "步",
    "stepOf": "第 {step} 步，共 {steps} 步",
    "play": "播放",
    "pause": "暂停",
    "form": "画法",
    "unrolled": "展开",
    "folded": "折叠",
    "unrollFirst": "第 1 步读入“{character}”，状态还是空的。在括号里的概率：{open}。",
    "unrollTold": "第 {step} 步读入“{character}”和第 {before} 步的状态。在括号里的概率：{open}。",
    "cell": "网络",
    "show": "显示",
    "unit": "单元",
    "forget": "遗忘门",
    "input": "输入门",
    "output": "输出门",
    "update": "更新门",
    "reset": "重置门",
    "candidate": "候选值",
    "c": "细胞状态 c",
    "h": "输出 h",
    "hGru": "状态 h",
    "closed": "关",
    "opened": "开",
    "gatesMap": "热图：每个单元在每个字符处的{what}。用方向键移动。",
    "gatesChart": "这个单元的门，从 0（关）到 1（开）",
    "statesChart": "这个单元的状态",
    "openChart": "网络的判断：在括号里的概率",
    "openName": "在括号里？",
    "lstmTold": "读到“{character}”时，单元 {unit} 保留记忆的 {forget}（遗忘门），写入候选值 {candidate} 的 {input}"
    "（输入门）：记忆从 {before} 变为 {after}，并显露其中的 {output}（输出门）。",
    "gruTold": "读到“{character}”时，单元 {unit} 保留状态的 {update}（更新门），取候选值 {candidate} 的 {rest}；候选"
    "值读取了各单元先前所说的 {reset}（重置门）。状态从 {before} 变为 {after}。",
    "distance": "距离",
    "stepsBack": "往回 {steps} 步",
    "stepsLong": "{steps} 步",
    "scale": "循环权重：最大特征值约为",
    "gateBias": "负责保留的门的偏置",
    "gradientChart": "传到的梯度（1 表示全部），随往回的步数变化",
    "gradientTold": "往回 {distance} 步处，传到的梯度：RNN {rnn}，LSTM {lstm}，GRU {gru}。",
    "nothing": "几乎没有",
    "forgetBias": "遗忘门偏置",
    "forgetBias1": "遗忘门偏置 1",
    "forgetBias3": "遗忘门偏置 3",
    "forgetTold": "遗忘门开始时约为 {gate}：记忆每 {half} 步减半，{steps} 步下来剩 {arrives}。",
    "learned": "网络学会了这个任务。",
    "partly": "网络只学会了一部分。",
    "notLearned": "网络没有学会这个任务。",
    "measured": "实测",
    "gateAlone": "门本身",
    "learningChart": "学习曲线：均方误差，随更新次数变化",
    "powerOf": "连乘",
    "spectrumChart": "32 个方向各自的伸缩（1 表示不变）",
    "spectrumTold": "{steps} 步之后，均匀初始化把最强的方向变为 {largest} 倍，最弱的方向变为 {smallest} 倍。正交初始"
    "化各个方向都是 1 倍。",
    "uniform": "均匀",
    "orthogonal": "正交",
    "identity": "单位矩阵",
    "taskDistance": "任务长度",
    "startTold": "{steps} 步的任务，学会的有：{learned}。",
    "comma": "、",
    "betweenSentences": "",
    "none": "无",
    "threshold": "阈值",
    "noClipping": "不裁剪",
    "updates": "更新次数",
    "surfaceChart": "损失（越蓝越高）和走过的路径",
    "surfaceLabel": "损失随循环权重和偏置变化的地图，以及下降的路径",
    "surfaceWeight": "循环权重",
    "surfaceBias": "偏置",
    "normChart": "裁剪之前梯度的长度，随更新次数变化",
    "clipTold": "更新 {updates} 次之后，损失为 {loss}；到此为止，最长的梯度长 {norm}。",
    "interval": "间隔",
    "peepholes": "窥视孔连接",
    "peepholesOn": "有窥视孔连接",
    "peepholesOff": "没有",
    "spikeChart": "单元显露的：输出 h",
    "clockChart": "单元记住的：细胞状态 c",
    "clockTold": "每 {interval} 步一个脉冲：第 {ticks} 步，等等。",
    "clockBlind": "没有脉冲。120 步之后细胞状态是 {memory}，没有一个门察觉。",
    "trainedTitle": "LSTM 自己能学会吗？",
    "trainedText": "每个点是从随机权重开始的一次训练，单元数如图所示，输出层是线性的。越靠左越好：横轴是误差，最好的"
    "常数预测记为 1。",
    "trainedInterval": "要学的间隔",
    "oneWithout": "1 个单元，没有窥视孔连接",
    "oneWith": "1 个单元，有窥视孔连接",
    "twoWithout": "2 个单元，没有窥视孔连接",
    "twoWith": "2 个单元，有窥视孔连接",
    "trainedTold": "误差降到五分之一以下的：一个单元，有窥视孔连接时 {seeds} 次训练中有 {oneWith} 次，没有时 "
    "{oneWithout} 次；两个单元，有时 {twoWith} 次，没有时 {twoWithout} 次。",
    "back": "梯度往回走",
    "backTold": "梯度往回走 {steps} 步中的 {back} 步，到不了给出比特的地方。",
    "backWhole": "梯度往回走完全部 {steps} 步，到得了给出比特的地方。",
    "backLabel": "共 {steps} 步；梯度到得了第 {reached} 步及以后",
    "bitHere": "给出比特",
    "askedHere": "在此提问",
    "gradientBack": "梯度的回程",
}
