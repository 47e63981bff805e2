using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Streaming.Models.State;

/// <summary>
/// Tensors of a safetensors file, or of bytes in memory. The header is checked against the length of the data before any
/// allocation or read depends on it, so a hostile file costs no more memory than its own size.
/// </summary>
public sealed class SafetensorsReader : TensorSource
{
    private const int LengthBytes = 8;
    private readonly SafeFileHandle? _file;
    private readonly ReadOnlyMemory<byte> _memory;
    private readonly SafetensorsHeader _header;
    private readonly long _dataStart;

    private SafetensorsReader(SafeFileHandle? file, ReadOnlyMemory<byte> memory, long length)
    {
        _file = file;
        _memory = memory;
        if (length < LengthBytes)
        {
            throw new InvalidDataException(
                $"{length} bytes are not a safetensors file, which starts with a header length of {LengthBytes} bytes."
            );
        }

        Span<byte> prefix = stackalloc byte[LengthBytes];
        ReadAt(0, prefix);
        long headerBytes = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (headerBytes < 2 || headerBytes > length - LengthBytes || headerBytes > Safetensors.MaxHeaderBytes)
        {
            throw new InvalidDataException(
                $"The safetensors header length is {headerBytes}; allowed: 2 … "
                    + $"{Math.Min(length - LengthBytes, Safetensors.MaxHeaderBytes)}."
            );
        }

        byte[] header = new byte[headerBytes];
        ReadAt(LengthBytes, header);
        _dataStart = LengthBytes + headerBytes;
        _header = Safetensors.Parse(header, length - _dataStart);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => _header.Tensors;

    /// <summary>Gets the header's metadata.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Opens a file.</summary>
    /// <exception cref="InvalidDataException">It is not a valid safetensors file.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static SafetensorsReader Open(string path)
    {
        SafeFileHandle file = File.OpenHandle(path);
        try
        {
            return new SafetensorsReader(file, default, RandomAccess.GetLength(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads from memory.</summary>
    /// <exception cref="InvalidDataException">The bytes are not valid safetensors.</exception>
    public static SafetensorsReader FromMemory(ReadOnlyMemory<byte> bytes) => new(null, bytes, bytes.Length);

    /// <inheritdoc/>
    public override void Read(int tensor, long byteOffset, Span<byte> destination)
    {
        long bytes = Tensors[tensor].ByteCount();
        if (byteOffset < 0 || byteOffset > bytes - destination.Length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(byteOffset),
                byteOffset,
                $"Tensor {Tensors[tensor].Name} has {bytes} bytes; {destination.Length} were requested."
            );
        }

        ReadAt(_dataStart + _header.Starts[tensor] + byteOffset, destination);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _file?.Dispose();

    private void ReadAt(long position, Span<byte> destination)
    {
        if (_file is null)
        {
            _memory.Span.Slice((int)position, destination.Length).CopyTo(destination);
            return;
        }

        while (destination.Length > 0)
        {
            int read = RandomAccess.Read(_file, destination, position);
            if (read == 0)
            {
                throw new InvalidDataException($"The file ends at byte {position}, {destination.Length} bytes too early.");
            }

            destination = destination[read..];
            position += read;
        }
    }
}
