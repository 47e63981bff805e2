using System.Buffers.Binary;
using System.Text;

namespace Streaming.Transport.Tests.Kafka.Security;

/// <summary>The broker's side of SASL PLAIN, which the embedded broker lacks (KIP-43: a handshake, then a bare token).</summary>
internal sealed class SaslPlain(string user, string password, Action<string> introduced)
{
    private const int Handshake = 17;
    private const int Versions = 18;

    /// <summary>Authenticates a client.</summary>
    /// <returns>Whether it succeeded; otherwise the connection is closed, as by any broker.</returns>
    public async Task<bool> IntroduceAsync(Stream client, Stream broker, CancellationToken cancellationToken)
    {
        bool isToken = false;
        while (await KafkaFrame.ReadAsync(client, cancellationToken) is { } request)
        {
            if (isToken)
            {
                string token = Encoding.UTF8.GetString(request.AsSpan(4));
                introduced(token);
                bool isKnown = token == $"\0{user}\0{password}";
                await client.WriteAsync(isKnown ? KafkaFrame.Of([]) : [], cancellationToken);
                return isKnown;
            }

            isToken = KafkaFrame.Kind(request) == Handshake;
            await client.WriteAsync(isToken ? Agree(request) : await AskBrokerAsync(request, broker, cancellationToken), cancellationToken);
        }

        return false;
    }

    // Correlation id, no error, one mechanism.
    private static byte[] Agree(byte[] request) => KafkaFrame.Of([.. KafkaFrame.Number(request), 0, 0, 0, 0, 0, 1, 0, 5, .. "PLAIN"u8]);

    /// <summary>Adds the handshake to the broker's API versions.</summary>
    private static async Task<byte[]> AskBrokerAsync(byte[] request, Stream broker, CancellationToken cancellationToken)
    {
        await broker.WriteAsync(request, cancellationToken);
        byte[] answer = await KafkaFrame.ReadAsync(broker, cancellationToken) ?? [];
        if (KafkaFrame.Kind(request) != Versions || KafkaFrame.Version(request) != 0)
        {
            return answer;
        }

        // Correlation id and error, then the number of APIs, then each with its minimum and maximum version.
        byte[] longer = KafkaFrame.Of([.. answer.AsSpan(4), 0, Handshake, 0, 0, 0, 0]);
        Span<byte> count = longer.AsSpan(10, 4);
        BinaryPrimitives.WriteInt32BigEndian(count, BinaryPrimitives.ReadInt32BigEndian(count) + 1);
        return longer;
    }
}
