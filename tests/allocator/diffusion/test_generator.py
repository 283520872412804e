from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from allocator.diffusion.generator import GenerationCounts, Generator
from allocator.diffusion.pictures import PictureStore
from allocator.plan import DenoisingPlan, Handoff, PlanError, Segment, shared_then_personal
from tinyworld.diffusion import random_diffusion

OWN = "a photo of a man walking in the street by day, tidy"
PUBLIC = "a sketch of a dog in the park at night"


def plan(shared_steps, own=OWN, *, public=PUBLIC, seed=1, total=6, error_rate=0.0, **changes):
    return shared_then_personal(
        seed=seed, public_prompt=public, own_prompt=own, shared_steps=shared_steps,
        total_steps=total, handoff=Handoff(8, error_rate), **changes,
    )  # fmt: skip


def alone(diffusion, planned):
    return Generator(diffusion, PictureStore()).run([planned])[0]


def together(diffusion, plans, **settings):
    return Generator(diffusion, PictureStore(), **settings).run(plans)


PLANS = [
    plan(0),
    plan(3),
    plan(3, "a cat", error_rate=0.02),
    plan(5, "a cat", shared_guidance=1.0),
    plan(2, "a bird", total=7, seed=2),
    plan(6),
    plan(2, public=OWN, personal_site="edge"),
]


@pytest.mark.parametrize("largest_batch", [1, 2, 64])
def test_a_picture_does_not_depend_on_who_is_drawn_beside_it(diffusion, largest_batch):
    pictures = together(diffusion, PLANS, largest_batch=largest_batch)
    for planned, picture in zip(PLANS, pictures, strict=True):
        np.testing.assert_array_equal(picture, alone(diffusion, planned))


def test_sharing_under_ones_own_prompt_gives_the_very_picture_of_the_solo_run(diffusion):
    shared = DenoisingPlan(1, tuple(Segment("edge", "tinyworld", OWN, n) for n in (2, 4)))
    neighbour = DenoisingPlan(1, (shared.segments[0], Segment("edge", "tinyworld", "a cat", 4)))
    generator = Generator(diffusion, PictureStore())
    pictures = generator.run([neighbour, shared])
    assert generator.counts.denoising_steps_run == 2 + 4 + 4
    np.testing.assert_array_equal(pictures[1], alone(diffusion, plan(0)))


def test_on_the_real_network_sharing_differs_from_the_solo_run_by_last_bits_only():
    diffusion = random_diffusion(0)
    shared = DenoisingPlan(1, tuple(Segment("edge", "tinyworld", OWN, n) for n in (2, 2)))
    neighbour = DenoisingPlan(1, (shared.segments[0], Segment("edge", "tinyworld", "a cat", 2)))
    picture = together(diffusion, [neighbour, shared])[1].astype(int)
    solo = alone(diffusion, plan(0, total=4)).astype(int)
    other = alone(diffusion, neighbour).astype(int)
    assert np.abs(picture - solo).mean() < 1.0
    assert np.abs(other - solo).mean() > 2 * np.abs(picture - solo).mean()


def test_the_prompt_the_seed_the_guidance_and_the_air_all_show_in_the_picture(diffusion):
    base = alone(diffusion, plan(3))
    for changed in (
        plan(3, "a cat"),
        plan(3, public="a cat"),
        plan(3, seed=2),
        plan(3, personal_guidance=8.0),
        plan(4),
        plan(3, error_rate=0.1),
    ):
        assert (alone(diffusion, changed) != base).any()


def test_bit_errors_hurt_more_the_more_there_are(diffusion):
    clean = alone(diffusion, plan(3)).astype(int)
    damage = [
        np.abs(alone(diffusion, plan(3, error_rate=rate)) - clean).mean()
        for rate in (0.005, 0.05, 0.5)
    ]
    assert 0 < damage[0] < damage[1] < damage[2]


def test_guidance_follows_its_formula_in_one_forward_a_level(diffusion):
    """velocity = unconditional + g (conditional - unconditional), checked by one hand-made step."""
    planned = DenoisingPlan(5, (Segment("edge", "tinyworld", OWN, 1, guidance=3.0),))
    picture = alone(diffusion, planned)
    assert diffusion.forwards == [2]
    latent = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(5))
    scheduler = diffusion.scheduler()
    scheduler.set_timesteps(1)
    timestep = scheduler.timesteps[:1]
    conditional = diffusion.velocity(latent, timestep, diffusion.encode_text([OWN]))
    nothing = diffusion.velocity(latent, timestep, diffusion.unconditional[None])
    velocity = nothing + 3.0 * (conditional - nothing)
    clean = scheduler.step(velocity, int(timestep), latent).prev_sample
    np.testing.assert_array_equal(picture, diffusion.decode(clean)[0])


def test_guidance_of_one_needs_no_unconditional_forward(diffusion):
    alone(diffusion, DenoisingPlan(5, (Segment("edge", "tinyworld", OWN, 3, guidance=1.0),)))
    assert diffusion.forwards == [1, 1, 1]


def test_levels_run_as_batches_no_larger_than_allowed(diffusion):
    plans = [plan(2, f"prompt {k}") for k in range(5)]
    together(diffusion, plans, largest_batch=2)
    assert diffusion.forwards == [2, 2] + [4, 4, 2] * 4


def test_counts_tell_what_was_drawn_what_was_kept_and_what_sharing_saved(diffusion):
    generator = Generator(diffusion, PictureStore())
    plans = [plan(3), plan(3, "a cat"), plan(3)]
    first = generator.run(plans)
    assert generator.counts == GenerationCounts(2, 1, 3 + 2 * 3, 2 * 6)
    second = generator.run(plans[::-1])
    assert generator.counts == GenerationCounts(2, 4, 3 + 2 * 3, 2 * 6)
    np.testing.assert_array_equal(first[::-1], second)


def test_another_process_finds_the_pictures_in_the_folder(diffusion, tmp_path):
    drawing, reading = (Generator(diffusion, PictureStore(tmp_path)) for _ in range(2))
    np.testing.assert_array_equal(drawing.run([plan(3)]), reading.run([plan(3)]))
    assert reading.counts == GenerationCounts(stored=1)
    drawing.store.close()
    reading.store.close()


def test_a_new_model_revision_draws_anew(diffusion):
    store = PictureStore()
    Generator(diffusion, store).run([plan(3)])
    diffusion.revision = "newer"
    generator = Generator(diffusion, store)
    generator.run([plan(3)])
    assert generator.counts.pictures == 1


@pytest.mark.parametrize(
    ("plans", "message"),
    [
        ([plan(3, model="sd-1.5")], "model 'sd-1.5' is not here, only 'tinyworld' is"),
        ([replace(plan(0), segments=(replace(plan(0).segments[0], depth=3),))], "got depth 3"),
        ([], "nothing to draw"),
    ],
)
def test_a_plan_this_model_cannot_run_is_refused(diffusion, plans, message):
    with pytest.raises(PlanError, match=message):
        Generator(diffusion, PictureStore()).run(plans)


def test_a_batch_size_below_one_is_refused(diffusion):
    with pytest.raises(ValueError, match="1 or more, got 0"):
        Generator(diffusion, PictureStore(), largest_batch=0)
