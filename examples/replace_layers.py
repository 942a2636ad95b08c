"""Replace the layers of an existing PyTorch model with Penstock's; its parameters stay the same tensors."""

import torch

from penstock import nn


class Tagger(torch.nn.Module):
    """An example of your own model."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(1000, 32)
        self.encoder = torch.nn.LSTM(32, 64, bidirectional=True, batch_first=True)
        self.head = torch.nn.Linear(128, 9)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Map ids (batch, time) to scores (batch, time, tags)."""
        return self.head(self.encoder(self.embedding(ids))[0])


def main() -> None:
    """Replace the layers, compare the outputs and continue training."""
    torch.manual_seed(0)
    model = Tagger()
    ids = torch.randint(1000, (8, 40))
    before = model(ids)
    weight = model.encoder.weight_hh_l0

    nn.replace(model)
    print(model.encoder)
    assert isinstance(model.encoder, nn.LSTM)
    assert model.encoder.weight_hh_l0 is weight
    torch.testing.assert_close(model(ids), before, rtol=1e-4, atol=1e-5)

    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(3):
        loss = torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), ids.flatten() % 9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
