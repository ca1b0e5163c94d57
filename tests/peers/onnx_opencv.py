"""onnx_opencv.py MODEL D < NUMBERS: runs a model with OpenCV on rows of D
numbers, raw float32, and prints a line of probabilities a row."""
import sys

import cv2
import numpy

net = cv2.dnn.readNetFromONNX(sys.argv[1])
rows = numpy.frombuffer(sys.stdin.buffer.read(), numpy.float32)
net.setInput(rows.reshape(-1, int(sys.argv[2])))
numpy.savetxt(sys.stdout, net.forward(), fmt="%.9g")
