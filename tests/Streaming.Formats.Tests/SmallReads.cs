namespace Streaming.Formats.Tests;

/// <summary>Gives its bytes a few at a time and cannot seek, as a pipe.</summary>
internal sealed class SmallReads(byte[] bytes, int most) : MemoryStream(bytes)
{
    public override bool CanSeek => false;

    public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, most));

    public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, most)]);
}
