"""Convolutions of one, two and three dimensions, and transposed ones, as layers linear in their weight."""

from collections.abc import Hashable, Iterator
from math import prod

from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.grams import Gram
from unlearn_core.layer import BLOCK_ELEMENTS, Layer
from unlearn_core.pixel_pairs import (
    Axis,
    cost_of_pairs,
    cost_of_patches,
    moment_of_pairs,
    pair_products,
)

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class Convolution(Layer):
    """A convolution: one row per patch, in the order of ``torch.nn.functional.unfold``."""

    module: nn.Conv1d | nn.Conv2d | nn.Conv3d

    def blocks(self, input: Tensor) -> Iterator[Tensor]:  # noqa: A002
        """Yield the patches, channels split by group, ``[groups, positions, d_in]``; see ``Layer.blocks``."""
        conv = self.module
        padding_mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
        padded = F.pad(_batched(input, conv), self._borders(), mode=padding_mode)
        for images in padded.split(self._images_per_block(padded)):
            split = self._patches(images).unflatten(1, (self.groups, -1))  # [images, groups, d_in, positions]
            yield split.permute(1, 0, 3, 2).flatten(1, 2)

    def gram(self, input: Tensor) -> Gram:  # noqa: A002
        """Multiply the patches with each other, or the pixels in them, whichever is less work."""
        images = _batched(input, self.module).unflatten(1, (self.groups, -1))
        axes = self._axes(images.shape[3:])
        count, groups, channels = images.shape[:3]
        if cost_of_patches(count, groups, channels, axes) <= cost_of_pairs(count, groups, channels, axes):
            return super().gram(input)
        return Gram(axes, pair_products(images, axes), count * prod(axis.positions for axis in axes))

    def moment(self, form: Hashable, sums: Tensor) -> Tensor:
        """Return the second moment for sums over patches or over pairs of pixels; see ``Layer.moment``."""
        return moment_of_pairs(sums, form) if isinstance(form, tuple) else super().moment(form, sums)

    def _axes(self, sizes: tuple[int, ...]) -> tuple[Axis, ...]:
        conv, borders = self.module, self._borders()[::-1]
        padding_mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
        return tuple(
            Axis(
                size=size,
                kernel=conv.kernel_size[axis],
                stride=conv.stride[axis],
                dilation=conv.dilation[axis],
                padding=(borders[2 * axis + 1], borders[2 * axis]),
                padding_mode=padding_mode,
            )
            for axis, size in enumerate(sizes)
        )

    def _patches(self, images: Tensor) -> Tensor:
        """Return ``[images, channels · kernel, positions]`` of padded images."""
        conv, windows = self.module, images
        for axis, reach in enumerate(self._reach()):
            windows = windows.unfold(2 + axis, reach + 1, conv.stride[axis])[..., :: conv.dilation[axis]]
        axes = len(conv.kernel_size)  # the windows are [images, channels, *positions, *kernel]
        order = (0, 1, *range(2 + axes, 2 + 2 * axes), *range(2, 2 + axes))
        return windows.permute(order).flatten(1, 1 + axes).flatten(2)

    def _reach(self) -> list[int]:
        """Return by axis how far a patch's last pixel lies from its first."""
        conv = self.module
        return [step * (size - 1) for step, size in zip(conv.dilation, conv.kernel_size, strict=True)]

    def _borders(self) -> list[int]:
        """Return the padding from the last axis to the first; an odd total is wider at the end."""
        borders: list[int] = []
        for axis, reach in reversed(list(enumerate(self._reach()))):
            if self.module.padding == "same":
                total = reach
            else:
                total = 0 if isinstance(self.module.padding, str) else 2 * int(self.module.padding[axis])
            borders += [total // 2, total - total // 2]
        return borders

    def _images_per_block(self, padded: Tensor) -> int:
        conv = self.module
        positions = prod(
            (padded.shape[2 + axis] - reach - 1) // conv.stride[axis] + 1
            for axis, reach in enumerate(self._reach())
        )
        return max(1, BLOCK_ELEMENTS // (positions * conv.in_channels * prod(conv.kernel_size)))


class TransposedConvolution(Layer):
    """A transposed convolution: one row per input pixel; its outputs are patches, which are then summed."""

    module: nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d

    def blocks(self, input: Tensor, output_size: list[int] | None = None) -> Iterator[Tensor]:  # noqa: A002, ARG002
        """Yield the pixels, channels split by group, ``[groups, positions, d_in]``; see ``Layer.blocks``."""
        images = _batched(input, self.module).flatten(2)
        for block in images.split(max(1, BLOCK_ELEMENTS // images[0].numel())):
            split = block.unflatten(1, (self.groups, -1))  # [images, groups, d_in, positions]
            yield split.permute(1, 0, 3, 2).flatten(1, 2)

    def view(self, tensor: Tensor) -> Tensor:
        """Return ``[groups, d_out · kernel, d_in]``: the stored weight has its inputs first."""
        return super().view(tensor).mT

    def fold(self, view: Tensor) -> Tensor:
        """Return ``[groups, d_out · kernel, d_in]`` as a tensor of the weight's shape."""
        return super().fold(view.mT)


def is_depthwise(module: nn.Module) -> bool:
    """Whether a module convolves each channel separately."""
    return isinstance(module, CONVOLUTIONS + TRANSPOSED) and 1 < module.groups == module.in_channels


def _batched(images: Tensor, conv: nn.Module) -> Tensor:
    """Return a single image as a batch of one."""
    assert isinstance(conv, CONVOLUTIONS + TRANSPOSED)
    return images if images.dim() == 2 + len(conv.kernel_size) else images[None]
