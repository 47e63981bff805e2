using System.Buffers.Binary;
using Avro.File;
using Snappier;
using ZstdSharp;

namespace Streaming.Formats.AvroFiles;

/// <summary>Avro compressions that the Avro library lacks: snappy, Spark's default, and zstandard.</summary>
internal static class AvroCodecs
{
    private static int _isRegistered;

    /// <summary>Registers them with the library, once.</summary>
    public static void Register()
    {
        if (Interlocked.Exchange(ref _isRegistered, 1) == 0)
        {
            Codec.RegisterResolver(static name =>
                name switch
                {
                    "snappy" => new SnappyCodec(),
                    "zstandard" => new ZstandardCodec(),
                    _ => null,
                }
            );
        }
    }

    /// <summary>Decompression only: nothing here writes Avro.</summary>
    private abstract class ReadingCodec(string name) : Codec
    {
        public override byte[] Compress(byte[] uncompressedData) => throw new NotSupportedException();

        public override void Compress(MemoryStream inputStream, MemoryStream outputStream) => throw new NotSupportedException();

        public override byte[] Decompress(byte[] compressedData, int blockLength)
        {
            try
            {
                return Decompress(compressedData.AsSpan(0, blockLength));
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                throw new InvalidDataException($"a block's {name} data is damaged: {exception.Message}", exception);
            }
        }

        public override string GetName() => name;

        public override bool Equals(object? other) => other is ReadingCodec codec && codec.GetName() == name;

        public override int GetHashCode() => name.GetHashCode(StringComparison.Ordinal);

        protected abstract byte[] Decompress(ReadOnlySpan<byte> block);
    }

    private sealed class SnappyCodec() : ReadingCodec("snappy")
    {
        // The block ends with the checksum of its uncompressed contents.
        protected override byte[] Decompress(ReadOnlySpan<byte> block)
        {
            byte[] data = Snappy.DecompressToArray(block[..^4]);
            return System.IO.Hashing.Crc32.HashToUInt32(data) == BinaryPrimitives.ReadUInt32BigEndian(block[^4..])
                ? data
                : throw new InvalidDataException("wrong checksum");
        }
    }

    private sealed class ZstandardCodec() : ReadingCodec("zstandard")
    {
        protected override byte[] Decompress(ReadOnlySpan<byte> block)
        {
            // Streaming writers omit the length, so it cannot be queried.
            using var stream = new DecompressionStream(new MemoryStream(block.ToArray()));
            var data = new MemoryStream();
            stream.CopyTo(data);
            return data.ToArray();
        }
    }
}
