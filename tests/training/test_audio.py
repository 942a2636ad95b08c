"""What training does to sounds: nothing when asked for nothing, what it says otherwise, the same for the same seed."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from penstock.audio.augmentation import Augmentation
from penstock.audio.objective import SoundObjective, _pooled
from penstock.errors import ConfigError
from penstock.network import ClassHead, Network, Numbers, Recurrent
from penstock.nn import NetworkModule
from penstock.sounds.features import FLOOR, AudioFeatures
from penstock.training import Regularization

pytestmark = pytest.mark.usefixtures("one_thread")

BANDS = 8


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def features(spoken):
    return AudioFeatures(mel_bins=BANDS, mean_seconds=0.5).fit(spoken[0])


@pytest.fixture
def batch(features, spoken):
    """Log-mel energies (5, time, bands) and lengths."""
    values, lengths = features.log_mels(spoken[0][:5]).pad()
    return torch.from_numpy(values), torch.from_numpy(lengths)


def objective(features, spoken, **options):
    recordings, labels = spoken
    mean, scale = features.scale
    targets = np.array([["yes", "no", "stop"].index(label) for label in labels])
    plain = {"spot_share": 0.0, "window_frames": 30, "late_frames": 6, "context_share": 0.0, "context_frames": 20}
    plain |= {"augmentation": Augmentation(), "mixup": 0.0}
    return SoundObjective(
        sequences=features.log_mels(recordings),
        targets=targets,
        valid_sequences=features.apply(recordings),
        valid_targets=targets,
        weights=torch.ones(3),
        batch_size=4,
        regularization=Regularization(output_dropout=0.0, label_smoothing=0.0, prefix_share=0.0),
        generator=generator(),
        mean=mean,
        scale=scale,
        mean_share=features.mean_share,
        delta_frames=features.delta_frames,
        **(plain | options),
    )


@pytest.fixture
def module(features):
    torch.manual_seed(0)
    recurrent = Recurrent(cell="gru", input_size=features.size, hidden_size=6)
    return NetworkModule(Network(Numbers(features.size), recurrent, ClassHead(3)))


def test_nothing_asked_for_changes_nothing(batch):
    values, lengths = Augmentation()(*batch, generator())
    assert_close(values, batch[0], rtol=0, atol=0)
    assert_close(lengths, batch[1], rtol=0, atol=0)


def test_the_loss_of_unchanged_sounds_is_that_of_their_features(features, spoken, module):
    found = objective(features, spoken)
    rows = np.array([3, 11, 20])
    loss, count = found.loss(module, rows)
    values, lengths = found.valid_sequences.pad(rows)
    logits = module(torch.from_numpy(values), torch.from_numpy(lengths))
    expected = torch.nn.functional.cross_entropy(logits, torch.from_numpy(found.targets[rows]))
    assert count == 3
    assert_close(loss, expected)


def test_features_are_those_of_answers(features, spoken, batch):
    found = objective(features, spoken).features(batch[0])
    for row, expected in enumerate(features.apply(spoken[0][:5])):
        assert_close(found[row, : len(expected)].numpy(), expected, rtol=0, atol=0)


def test_trimming_cuts_what_is_quiet_off_either_end_and_nothing_else():
    levels = torch.tensor([-40.0, -20.0, -30.0, 0.0, -30.0, -10.0, -35.0, 50.0])  # dB; the last one is beyond the end
    values = (levels * np.log(10) / 10)[:, None].expand(64, 8, 3).contiguous()
    lengths = torch.full((64,), 7)
    kept, steps = Augmentation(trim_share=1.0, trim_db=(25.0, 25.0))(values, lengths, generator())
    assert steps.tolist() == [5] * 64  # a quiet frame between two loud ones stays
    assert_close(kept, values[:, 1:6], rtol=0, atol=0)
    loudest, one = Augmentation(trim_share=1.0, trim_db=(0.0, 0.0))(values, lengths, generator())
    assert one.tolist() == [1] * 64
    assert_close(loudest, values[:, 3:4], rtol=0, atol=0)

    kept, steps = Augmentation(trim_share=0.5, trim_db=(5.0, 45.0))(values, lengths, generator())
    found = set()
    for row, length in enumerate(steps.tolist()):
        starts = [start for start in range(8 - length) if (kept[row, :length] == values[row, start:][:length]).all()]
        assert len(starts) == 1
        found.add((starts[0], starts[0] + length))
    assert {start for start, _ in found} == {0, 1, 3}
    assert {end for _, end in found} == {4, 6, 7}


def test_tempo_changes_lengths_and_little_else(batch):
    values, lengths = batch
    slow, longer = Augmentation(stretch=0.2)(values, lengths, generator())
    assert (longer != lengths).any()
    assert (longer >= (lengths * np.exp(-0.2)).long()).all()
    assert (longer <= (lengths * np.exp(0.2)).long() + 1).all()
    for row in range(len(values)):
        ends = (0, int(longer[row]) - 1), (0, int(lengths[row]) - 1)
        for new, old in zip(*ends, strict=True):
            assert_close(
                slow[row, new], values[row, old], atol=1e-3, rtol=0
            )  # between two frames of a fast float32 ramp


def test_a_shorter_tract_moves_bands_up(batch):
    ramp = torch.arange(BANDS, dtype=torch.float32).expand(2, 3, BANDS)
    moved, _ = Augmentation(warp=0.3)(ramp, torch.tensor([3, 3]), generator(1))
    factor = moved[:, 0, 1]
    expected = (torch.arange(BANDS) * factor[:, None]).clamp(max=BANDS - 1)
    assert_close(moved[:, 0], expected, atol=1e-5, rtol=0)
    assert ((factor > 0.74) & (factor < 1.35) & (factor != 1)).all()


def test_silence_around_keeps_the_sound(batch):
    values, lengths = batch
    shifted, longer = Augmentation(shift_frames=7)(values, lengths, generator())
    for row, (old, new) in enumerate(zip(lengths.tolist(), longer.tolist(), strict=True)):
        silent = (shifted[row, :new] == FLOOR).all(1)
        start = int((~silent).float().argmax())
        assert 0 <= start <= 7
        assert_close(shifted[row, start : start + old], values[row, :old], rtol=0, atol=0)
        assert silent[:start].all()
        assert silent[start + old :].all()
    assert (longer > lengths).any()


def test_loudness_is_one_number_and_colour_a_smooth_curve(batch):
    louder = Augmentation(gain_db=10)(*batch, generator())[0] - batch[0]
    assert_close(louder, louder[:, :1, :1].expand_as(louder), atol=1e-5, rtol=0)
    assert (louder.abs() <= np.log(10) + 1e-5).all()
    colored = Augmentation(color_db=10)(*batch, generator())[0] - batch[0]
    assert_close(colored, colored[:, :1].expand_as(colored), atol=1e-5, rtol=0)
    assert (colored[:, 0].diff() != 0).any()


def test_noise_only_adds(batch):
    noisy = Augmentation(noise_share=0.5, noise_db=(0.0, 0.0))(*batch, generator(3))[0]
    changed = (noisy != batch[0]).flatten(1).any(1)
    assert changed.tolist() != [True] * 5
    assert changed.any()
    assert (noisy >= batch[0]).all()


def test_masks_hide_a_span(features, batch):
    x = torch.ones(5, batch[0].shape[1], features.size)
    hidden = Augmentation(mel_mask=2).masks(x, BANDS, batch[1], generator())
    bands = hidden[:, 0].reshape(5, -1, BANDS)
    assert (bands == bands[:, :1]).all()  # the changes of a band with the band
    assert ((bands[:, 0] == 0).sum(1) <= 2).all()
    assert (bands == 0).any()
    frames = Augmentation(time_mask=6).masks(x, BANDS, batch[1], generator())[..., 0] == 0
    assert (frames.sum(1) <= 6).all()
    assert frames.any()


def test_sounds_behind_others_start_where_those_end(features, spoken, batch):
    values, lengths = batch
    behind, starts = objective(features, spoken, context_share=0.9)._after_others(values, lengths)
    assert (starts > 0).any()
    order = torch.randperm(5, generator=_past_one_draw(5))
    for row, start in enumerate(starts.tolist()):
        length, other = int(lengths[row]), int(order[row])
        assert_close(behind[row, start : start + length], values[row, :length], rtol=0, atol=0)
        end = int(lengths[other])
        assert_close(behind[row, :start], values[other, end - start : end], rtol=0, atol=0)


def _past_one_draw(size):
    found = generator()
    torch.rand(size, generator=found)
    return found


def test_context_and_windows_change_the_loss_the_same_way_for_the_same_seed(features, spoken, module):
    rows = np.arange(6)
    options = {
        "context_share": 0.5,
        "spot_share": 0.5,
        "augmentation": Augmentation(
            trim_share=0.5, stretch=0.1, warp=0.1, shift_frames=5, gain_db=6, color_db=3, noise_share=0.5
        ),
    }
    plain, one, same = (
        objective(features, spoken, **chosen).loss(module, rows)[0] for chosen in ({}, options, options)
    )
    assert one == same
    assert one != plain
    one.backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in module.parameters())


def test_the_window_alone_is_a_loss(features, spoken, module):
    rows = np.arange(6)
    without, with_it = (objective(features, spoken, spot_share=share).loss(module, rows)[0] for share in (0.0, 1.0))
    assert with_it > without


def test_the_window_closes_no_earlier_than_asked(features, spoken, module):
    found = objective(features, spoken, spot_share=1.0, window_frames=4, late_frames=0)
    x, starts, lengths = found.augmented(*map(torch.from_numpy, found.sequences.pad(np.arange(6))))
    y, _ = module.encoder(x, lengths=lengths)
    last = torch.stack([row[length - 4 : length] for row, length in zip(y, lengths.tolist(), strict=True)])
    _, window = _pooled(module, x, starts, lengths, found.parts(lengths))
    assert_close(window, module.head.pool(last, torch.full((6,), 4)))
    late = objective(features, spoken, spot_share=1.0, window_frames=4, late_frames=6).parts(lengths)[1]
    assert (late.first <= lengths - 4).all()
    assert (late.first >= lengths - 10).all()
    assert (late.first < lengths - 4).any()


def test_blur_moves_bands_towards_their_neighbours_or_away(batch):
    values, lengths = batch
    blurred, same = Augmentation(blur=0.7)(values, lengths, generator())
    assert_close(same, lengths, rtol=0, atol=0)
    padded = torch.cat([values[..., :1], values, values[..., -1:]], 2)
    towards = (padded[..., :-2] + padded[..., 2:]) / 2 - values
    moved = blurred - values
    shares = (moved * towards).sum((1, 2)) / (towards**2).sum((1, 2))
    assert_close(moved, shares[:, None, None] * towards, atol=1e-4, rtol=0)
    assert (shares.abs() <= 0.7).all()
    assert shares.min() < 0 < shares.max()


def test_contrast_keeps_the_mean_of_each_band(batch):
    values, lengths = batch
    changed, _ = Augmentation(contrast=0.2)(values, lengths, generator())
    for row, length in enumerate(lengths.tolist()):
        before, after = values[row, :length], changed[row, :length]
        assert_close(after.mean(0), before.mean(0), atol=1e-4, rtol=0)
        factor = after.std(0) / before.std(0)
        assert_close(factor, factor[:1].expand_as(factor), atol=1e-4, rtol=0)
        assert np.exp(-0.2) - 1e-4 <= factor[0] <= np.exp(0.2) + 1e-4
        assert abs(factor[0] - 1) > 1e-3


def test_a_mixture_lies_between_two_recordings_and_so_do_its_label_and_its_weight(features, spoken):
    found = objective(features, spoken, mixup=0.4)
    values, lengths = map(torch.from_numpy, found.sequences.pad(np.arange(8)))
    labels = torch.nn.functional.one_hot(torch.from_numpy(found.targets[:8]), 3).float()
    weights = torch.arange(1.0, 9.0)
    mixed, shares, counts = found._mixed(values, lengths, labels, weights)
    drawn = generator()
    other = torch.randperm(8, generator=drawn)
    beta = np.random.default_rng(int(torch.randint(2**31, (1,), generator=drawn))).beta(0.4, 0.4, 8)
    part = torch.from_numpy(np.minimum(beta, 1 - beta))
    assert part.max() > 0.1
    for row, (length, partner, share) in enumerate(zip(lengths.tolist(), other.tolist(), part.tolist(), strict=True)):
        assert_close(shares[row], (1 - share) * labels[row] + share * labels[partner])
        assert_close(counts[row].item(), (1 - share) * weights[row].item() + share * weights[partner].item())
        for step, place in ((0, 0), (length - 1, int(lengths[partner]) - 1)):
            expected = (1 - share) * values[row, step] + share * values[partner, place]
            assert_close(mixed[row, step], expected, atol=1e-3, rtol=0)


def test_teachers_answers_are_a_part_of_the_target(features, spoken, module):
    rows = np.arange(6)
    torch.manual_seed(1)
    other = NetworkModule(module.network)
    options = {"spot_share": 0.5, "context_share": 0.5, "augmentation": Augmentation(stretch=0.1, gain_db=6)}
    alone = objective(features, spoken, **options).loss(module, rows)[0]
    by_labels = objective(features, spoken, **options, teachers=[other], taught_share=0.0).loss(module, rows)[0]
    assert_close(by_labels, alone)
    # Of a target that is the answer itself, cross-entropy is least: no other network is as near to it.
    near, far = (
        objective(features, spoken, **options, teachers=[each, each], taught_share=1.0).loss(module, rows)[0]
        for each in (module, other)
    )
    assert near < far
    plain = objective(features, spoken, teachers=[other, module], taught_share=1.0)
    values, lengths = map(torch.from_numpy, plain.valid_sequences.pad(rows))
    scores = [each(values, lengths) for each in (other, module)]
    answer = sum((each / 2).softmax(1) for each in scores) / 2
    expected = 4 * torch.nn.functional.cross_entropy(scores[1] / 2, answer)  # at temperature 2, times its square
    loss = plain.loss(module, rows)[0]
    assert_close(loss, expected)
    loss.backward()
    assert all(parameter.grad is None for parameter in other.parameters())


@pytest.mark.parametrize(
    "options", [{"trim_share": 1.5}, {"stretch": -0.1}, {"warp": 1.5}, {"noise_share": 2}, {"shift_frames": "1"}]
)
def test_invalid_augmentations(options):
    with pytest.raises(ConfigError, match=f"{next(iter(options))} must be"):
        Augmentation(**options)
