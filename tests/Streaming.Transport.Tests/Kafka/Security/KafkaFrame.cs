using System.Buffers.Binary;

namespace Streaming.Transport.Tests.Kafka.Security;

/// <summary>
/// A Kafka protocol frame: four bytes of length, then a message. A request starts with its API key, version and correlation id.
/// </summary>
internal static class KafkaFrame
{
    /// <summary>Reads a frame, including its length; null at the end.</summary>
    public static async Task<byte[]?> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        try
        {
            byte[] length = new byte[4];
            await stream.ReadExactlyAsync(length, cancellationToken);
            byte[] frame = [.. length, .. new byte[BinaryPrimitives.ReadInt32BigEndian(length)]];
            await stream.ReadExactlyAsync(frame.AsMemory(4), cancellationToken);
            return frame;
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Creates a frame with a message.</summary>
    public static byte[] Of(ReadOnlySpan<byte> message)
    {
        byte[] frame = [0, 0, 0, 0, .. message];
        BinaryPrimitives.WriteInt32BigEndian(frame, message.Length);
        return frame;
    }

    public static int Kind(byte[] request) => BinaryPrimitives.ReadInt16BigEndian(request.AsSpan(4));

    public static int Version(byte[] request) => BinaryPrimitives.ReadInt16BigEndian(request.AsSpan(6));

    public static ReadOnlySpan<byte> Number(byte[] request) => request.AsSpan(8, 4);
}
