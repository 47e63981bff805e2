using Streaming.Models.State;

namespace Streaming.Learning.Tests.State;

/// <summary>A source that replaces the first bytes of one tensor.</summary>
internal sealed class PatchedSource(TensorSource inner, int patched, byte[] patch) : TensorSource
{
    public override IReadOnlyList<TensorInfo> Tensors => inner.Tensors;

    public override void Read(int tensor, long byteOffset, Span<byte> destination)
    {
        inner.Read(tensor, byteOffset, destination);
        for (long i = 0; tensor == patched && i < patch.Length; i++)
        {
            long place = i - byteOffset;
            if (place >= 0 && place < destination.Length)
            {
                destination[(int)place] = patch[i];
            }
        }
    }

    protected override void Dispose(bool disposing) { }
}
