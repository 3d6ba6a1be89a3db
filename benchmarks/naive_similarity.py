"""A network's two halves around a hidden layer, as plain functions of one image, for automatic differentiation."""

import torch


def halves(ensemble, layer):
    """From the input to the layer's activity h, and from h to the logits, for an ensemble of one network."""
    weights, biases = [weight[0] for weight in ensemble.weights], [bias[0] for bias in ensemble.biases]

    def upstream(x):
        for weight, bias in zip(weights[:layer], biases[:layer], strict=True):
            x = torch.relu(weight @ x + bias)
        return x

    def downstream(h):
        h = weights[layer] @ h + biases[layer]
        for weight, bias in zip(weights[layer + 1 :], biases[layer + 1 :], strict=True):
            h = weight @ torch.relu(h) + bias
        return h

    return upstream, downstream
