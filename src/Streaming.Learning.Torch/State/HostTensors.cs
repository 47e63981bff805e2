using Streaming.Models.State;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.State;

/// <summary>Copies tensor bytes to and from host memory, in blocks: a span is limited to 2 GiB, a tensor is not.</summary>
internal static class HostTensors
{
    private const int BlockBytes = 1 << 24;

    /// <summary>Copies bytes out of a flat tensor on any device.</summary>
    public static void Read(Tensor values, int elementSize, long byteOffset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int inside = (int)(byteOffset % elementSize);
            int length = Math.Min(destination.Length, BlockBytes - inside);
            using Tensor part = values.narrow(0, byteOffset / elementSize, (inside + length + elementSize - 1) / elementSize);
            using Tensor there = part.cpu();
            there.bytes.Slice(inside, length).CopyTo(destination);
            destination = destination[length..];
            byteOffset += length;
        }
    }

    /// <summary>Fills a flat tensor from a source.</summary>
    public static void Fill(Tensor values, int elementSize, TensorSource source, int tensor)
    {
        long count = values.shape[0],
            block = BlockBytes / elementSize;
        for (long at = 0; at < count; at += block)
        {
            using Tensor part = values.narrow(0, at, Math.Min(block, count - at));
            source.Read(tensor, at * elementSize, part.bytes);
        }
    }
}
