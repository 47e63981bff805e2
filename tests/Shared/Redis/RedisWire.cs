using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Streaming.Tests;

/// <summary>One connection to one server, for commands that client libraries hide: CLUSTER, REPLICAOF, MIGRATE. Not
/// thread-safe.</summary>
internal sealed class RedisWire : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly TcpClient _client = new() { NoDelay = true };
    private BufferedStream _stream = null!;

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">Nothing listens there.</exception>
    public static async Task<RedisWire> ConnectAsync(int port)
    {
        RedisWire wire = new();
        try
        {
            await wire._client.ConnectAsync("127.0.0.1", port);
        }
        catch
        {
            wire.Dispose();
            throw;
        }

        wire._stream = new BufferedStream(wire._client.GetStream());
        return wire;
    }

    /// <summary>Sends a command.</summary>
    /// <returns>The reply: string, long, null or an array of these.</returns>
    /// <exception cref="InvalidOperationException">The server returned an error; the message is its reply.</exception>
    public async Task<object?> SendAsync(params string[] command)
    {
        using CancellationTokenSource limit = new(Limit);
        StringBuilder text = new($"*{command.Length}\r\n");
        foreach (string part in command)
        {
            text.Append(CultureInfo.InvariantCulture, $"${Encoding.Latin1.GetByteCount(part)}\r\n{part}\r\n");
        }

        await _stream.WriteAsync(Encoding.Latin1.GetBytes(text.ToString()), limit.Token);
        await _stream.FlushAsync(limit.Token);
        object? reply = await ReadAsync(limit.Token);
        return reply is Refusal refusal ? throw new InvalidOperationException($"{string.Join(' ', command)}: {refusal.Message}") : reply;
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<object?> ReadAsync(CancellationToken stop)
    {
        string line = await LineAsync(stop);
        string rest = line[1..];
        switch (line[0])
        {
            case '+':
                return rest;
            case '-':
                return new Refusal(rest);
            case ':':
                return long.Parse(rest, CultureInfo.InvariantCulture);
            case '$':
                return rest == "-1" ? null : await BulkAsync(int.Parse(rest, CultureInfo.InvariantCulture), stop);
            case '*':
                object?[] items = new object?[Math.Max(0, int.Parse(rest, CultureInfo.InvariantCulture))];
                for (int i = 0; i < items.Length; i++)
                {
                    items[i] = await ReadAsync(stop);
                }

                return items;
            default:
                throw new InvalidDataException($"'{line}' is not a RESP2 reply.");
        }
    }

    /// <summary>Maps bytes to characters of the same number, so that any key is transferred unchanged.</summary>
    private async Task<string> BulkAsync(int length, CancellationToken stop)
    {
        byte[] bytes = new byte[length + 2];
        await _stream.ReadExactlyAsync(bytes, stop);
        return Encoding.Latin1.GetString(bytes, 0, length);
    }

    private async Task<string> LineAsync(CancellationToken stop)
    {
        StringBuilder line = new();
        byte[] one = new byte[1];
        while (line.Length < 2 || line[^1] != '\n')
        {
            await _stream.ReadExactlyAsync(one, stop);
            line.Append((char)one[0]);
        }

        return line.ToString(0, line.Length - 2);
    }

    private sealed record Refusal(string Message);
}
