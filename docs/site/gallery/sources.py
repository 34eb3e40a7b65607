"""The publications that the gallery's pages are about."""

from __future__ import annotations

from docs.site.gallery.entry import Source

BOWLES = Source(
    "Bowles, Ahmed, Schuld 2024",
    "Better than classical? The subtle art of benchmarking quantum machine learning models",
    "arXiv:2403.07059",
    "https://arxiv.org/abs/2403.07059",
)
HENDERSON = Source(
    "Henderson, Shakya, Pradhan, Cook 2020",
    "Quanvolutional neural networks: powering image recognition with quantum circuits",
    "Quantum Machine Intelligence 2, 2",
    "https://arxiv.org/abs/1904.04767",
)
MNIST_TUTORIAL = Source(
    "TensorFlow Quantum's tutorial",
    "MNIST classification",
    "tensorflow.org",
    "https://www.tensorflow.org/quantum/tutorials/mnist",
)
CLUSTER_TUTORIAL = Source(
    "TensorFlow Quantum's tutorial",
    "Quantum Convolutional Neural Network",
    "tensorflow.org",
    "https://www.tensorflow.org/quantum/tutorials/qcnn",
)
TENSORFLOW_QUANTUM = Source(
    "Broughton and others 2020",
    "TensorFlow Quantum: A Software Framework for Quantum Machine Learning",
    "arXiv:2003.02989",
    "https://arxiv.org/abs/2003.02989",
)
HUR = Source(
    "Hur, Kim, Park 2022",
    "Quantum convolutional neural network for classical data classification",
    "Quantum Machine Intelligence 4, 3",
    "https://arxiv.org/abs/2108.00661",
)
PEREZ_SALINAS = Source(
    "Pérez-Salinas, Cervera-Lierta, Gil-Fuster, Latorre 2020",
    "Data re-uploading for a universal quantum classifier",
    "Quantum 4, 226",
    "https://doi.org/10.22331/q-2020-02-06-226",
)
RECIO_ARMENGOL = Source(
    "Recio-Armengol, Ahmed, Bowles 2025",
    "Train on classical, deploy on quantum: scaling generative quantum machine learning to a thousand qubits",
    "arXiv:2503.02934",
    "https://arxiv.org/abs/2503.02934",
)
ZOUFAL = Source(
    "Zoufal, Lucchi, Woerner 2019",
    "Quantum Generative Adversarial Networks for learning and loading random distributions",
    "npj Quantum Information 5, 103",
    "https://doi.org/10.1038/s41534-019-0223-2",
)
AMIN = Source(
    "Amin, Andriyash, Rolfe, Kulchytskyy, Melko 2018",
    "Quantum Boltzmann Machine",
    "Physical Review X 8, 021050",
    "https://doi.org/10.1103/PhysRevX.8.021050",
)
SKOLIK = Source(
    "Skolik, McClean, Mohseni, van der Smagt, Leib 2021",
    "Layerwise learning for quantum neural networks",
    "Quantum Machine Intelligence 3, 5",
    "https://doi.org/10.1007/s42484-020-00036-4",
)
HO = Source(
    "Ho, Hsieh 2019",
    "Efficient variational simulation of non-trivial quantum states",
    "SciPost Physics 6, 029",
    "https://arxiv.org/abs/1803.00026",
)
CONG = Source(
    "Cong, Choi, Lukin 2019",
    "Quantum convolutional neural networks",
    "Nature Physics 15, 1273",
    "https://doi.org/10.1038/s41567-019-0648-8",
)
KIM = Source(
    "Kim and others 2023",
    "Evidence for the utility of quantum computing before fault tolerance",
    "Nature 618, 500",
    "https://doi.org/10.1038/s41586-023-06096-3",
)
BEGUSIC = Source(
    "Begušić, Gray, Chan 2024",
    "Fast and converged classical simulations of evidence for the utility of quantum computing before fault tolerance",
    "Science Advances 10, eadk4321",
    "https://doi.org/10.1126/sciadv.adk4321",
)
MONOPROP = Source(
    "monoprop by Algorithmiq",
    "benchmarks of version 0.9.2",
    "pypi.org/project/monoprop",
    "https://pypi.org/project/monoprop/0.9.2/",
)
STEPHENS = Source(
    "Stephens 2014",
    "Fault-tolerant thresholds for quantum error correction with the surface code",
    "Physical Review A 89, 022321",
    "https://arxiv.org/abs/1311.5003",
)
STIM = Source(
    "Gidney 2021",
    "Stim: a fast stabilizer circuit simulator",
    "Quantum 5, 497",
    "https://doi.org/10.22331/q-2021-07-06-497",
)
GIDNEY = Source(
    "Gidney, Jones 2023",
    "New circuits and an open source decoder for the color code",
    "arXiv:2312.08813",
    "https://arxiv.org/abs/2312.08813",
)
QUANTINUUM = Source(
    "Quantinuum",
    "Hardware specifications: counts of benchmarking runs and the rates fitted to them",
    "github.com/CQCL/quantinuum-hardware-specifications",
    "https://github.com/CQCL/quantinuum-hardware-specifications",
)
METRIQ = Source(
    "Cosentino and others 2026",
    "Metriq: A Collaborative Platform for Benchmarking Quantum Computers",
    "arXiv:2603.08680",
    "https://arxiv.org/abs/2603.08680",
)
HELMBERG = Source(
    "Helmberg, Rendl 2000",
    "A spectral bundle method for semidefinite programming",
    "SIAM Journal on Optimization 10, 673",
    "https://doi.org/10.1137/S1052623497328987",
)
BENLIC = Source(
    "Benlic, Hao 2013",
    "Breakout Local Search for the Max-Cut problem",
    "Engineering Applications of Artificial Intelligence 26, 1162",
    "https://doi.org/10.1016/j.engappai.2012.09.001",
)
BEASLEY = Source(
    "Beasley 1990",
    "OR-Library: distributing test problems by electronic mail",
    "Journal of the Operational Research Society 41, 1069",
    "https://doi.org/10.1057/jors.1990.166",
)
SCIORILLI = Source(
    "Sciorilli and others 2025",
    "Towards large-scale quantum optimization solvers with few qubits",
    "Nature Communications 16, 476",
    "https://doi.org/10.1038/s41467-024-55346-z",
)
REINELT = Source(
    "Reinelt 1991",
    "TSPLIB: a traveling salesman problem library",
    "ORSA Journal on Computing 3, 376",
    "https://doi.org/10.1287/ijoc.3.4.376",
)
AUGERAT = Source(
    "Augerat and others 1995",
    "Computational results with a branch and cut code for the capacitated vehicle routing problem",
    "set A, in CVRPLIB",
    "http://vrp.galgos.inf.puc-rio.br",
)
BURKARD = Source(
    "Burkard, Karisch, Rendl 1997",
    "QAPLIB: a quadratic assignment problem library",
    "Journal of Global Optimization 10, 391",
    "https://doi.org/10.1023/A:1008293323270",
)
HOLMBERG = Source(
    "Holmberg, Rönnqvist, Yuan 1999",
    "An exact algorithm for the capacitated facility location problems with single sourcing",
    "European Journal of Operational Research 113, 544",
    "https://doi.org/10.1016/S0377-2217(98)00008-3",
)
JOB_SHOPS = Source(
    "Fisher, Thompson 1963; Lawrence 1984",
    "job shops ft06, ft10 and la01",
    "JSPLIB",
    "https://github.com/tamy0612/JSPLIB",
)
CHANG = Source(
    "Chang, Meade, Beasley, Sharaiha 2000",
    "Heuristics for cardinality constrained portfolio optimisation",
    "Computers & Operations Research 27, 1271",
    "https://doi.org/10.1016/S0305-0548(99)00074-X",
)
FARHI = Source(
    "Farhi, Goldstone, Gutmann, Zhou 2022",
    "The Quantum Approximate Optimization Algorithm and the Sherrington-Kirkpatrick Model at Infinite Size",
    "Quantum 6, 759",
    "https://doi.org/10.22331/q-2022-07-07-759",
)
BOETTCHER = Source(
    "Boettcher 2005",
    "Extremal optimization for Sherrington-Kirkpatrick spin glasses",
    "European Physical Journal B 46, 501",
    "https://doi.org/10.1140/epjb/e2005-00280-6",
)
SHAYDULIN = Source(
    "Shaydulin and others 2024",
    "Evidence of scaling advantage for the quantum approximate optimization algorithm on a classically intractable "
    "problem",
    "Science Advances 10, eadm6761",
    "https://doi.org/10.1126/sciadv.adm6761",
)
GOMEZ_CADAVID = Source(
    "Gomez Cadavid and others 2025",
    "Scaling advantage with quantum-enhanced memetic tabu search for LABS",
    "arXiv:2511.04553",
    "https://arxiv.org/abs/2511.04553",
)
