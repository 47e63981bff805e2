namespace Streaming.Formats.Tests;

/// <summary>A non-seekable stream that returns a few bytes at a time, like a pipe.</summary>
internal sealed class SmallReads(byte[] bytes, int most) : MemoryStream(bytes)
{
    public override bool CanSeek => false;

    public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, most));

    public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, most)]);
}
