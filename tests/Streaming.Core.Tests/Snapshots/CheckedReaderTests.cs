using System.Buffers.Binary;
using Streaming.Core.Hashing;
using Streaming.Core.Snapshots;
using Xunit;

namespace Streaming.Core.Tests.Snapshots;

public class CheckedReaderTests
{
    /// <summary>Lengths around the ends of frames.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8191)]
    [InlineData(8192)]
    [InlineData(8193)]
    [InlineData(30_000)]
    public void ReadInt64_WhatWasWritten_ComesBack(int words)
    {
        CheckedReader reader = new(new Trickle(Write(words)));

        for (int i = 0; i < words; i++)
        {
            Assert.Equal(Word(i), reader.ReadInt64());
        }

        reader.Complete();
        Assert.Contains(
            "ends prematurely",
            Assert.Throws<InvalidDataException>(() => reader.ReadInt64()).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void ReadInt64_OutOfBounds_SaysNameValueAndBounds()
    {
        byte[] bytes = Write(3);

        Assert.Equal(Word(0), new CheckedReader(new MemoryStream(bytes)).ReadInt64(Word(0), Word(0), "size"));
        InvalidDataException refused = Assert.Throws<InvalidDataException>(() =>
            new CheckedReader(new MemoryStream(bytes)).ReadInt64(0, 5, "size")
        );
        Assert.Equal($"The ingestion snapshot has size {Word(0)}; allowed: 0 to 5.", refused.Message);
    }

    [Fact]
    public void Complete_WordsLeft_IsRefused()
    {
        CheckedReader reader = new(new MemoryStream(Write(2)));
        reader.ReadInt64();

        Assert.Contains("continues past its end", Assert.Throws<InvalidDataException>(reader.Complete).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadInt64_FramesSwapped_IsRefused()
    {
        byte[] bytes = Write(3 * 8192);
        int frame = 4 + CheckedWriter.FrameBytes + 8;
        byte[] swapped = [.. bytes[frame..(2 * frame)], .. bytes[..frame], .. bytes[(2 * frame)..]];

        Assert.Contains(
            "Frame 0",
            Assert.Throws<InvalidDataException>(() => new CheckedReader(new MemoryStream(swapped)).ReadInt64()).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(-8)]
    [InlineData(12)]
    [InlineData(65_544)]
    [InlineData(int.MaxValue)]
    public void ReadInt64_FrameLengthThatCannotBe_IsRefusedUnread(int length)
    {
        byte[] bytes = Write(4);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);

        InvalidDataException refused = Assert.Throws<InvalidDataException>(() => new CheckedReader(new MemoryStream(bytes)).ReadInt64());

        Assert.Contains($"has length {length};", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadInt64_AnyByteAlteredOrCut_IsRefused()
    {
        byte[] bytes = Write(5);
        for (int at = 0; at < bytes.Length; at++)
        {
            byte[] altered = [.. bytes];
            altered[at] ^= 0x10;
            Assert.Throws<InvalidDataException>(() => ReadAll(altered, 5));
            Assert.Throws<InvalidDataException>(() => ReadAll(bytes[..at], 5));
        }

        ReadAll(bytes, 5);
    }

    /// <summary>The page of the format: length, words, XXH64 with the frame's number as seed, then a frame of length 0.</summary>
    [Fact]
    public void Write_OneWord_HasTheDocumentedBytes()
    {
        byte[] word = BitConverter.GetBytes(Word(0));
        byte[] expected =
        [
            8,
            0,
            0,
            0,
            .. word,
            .. BitConverter.GetBytes(XxHash64.Hash(word, 0)),
            0,
            0,
            0,
            0,
            .. BitConverter.GetBytes(XxHash64.Hash([], 1)),
        ];

        Assert.Equal(expected, Write(1));
    }

    private static void ReadAll(byte[] bytes, int words)
    {
        CheckedReader reader = new(new MemoryStream(bytes));
        for (int i = 0; i < words; i++)
        {
            reader.ReadInt64();
        }

        reader.Complete();
    }

    private static byte[] Write(int words)
    {
        using MemoryStream stream = new();
        CheckedWriter writer = new(stream);
        for (int i = 0; i < words; i++)
        {
            writer.WriteInt64(Word(i));
        }

        writer.Complete();
        return stream.ToArray();
    }

    private static long Word(int i) => (i + 1) * 0x0123_4567_89AB_CDEF;

    /// <summary>Gives a few bytes at a time, as a network does.</summary>
    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 777)]);
    }
}
