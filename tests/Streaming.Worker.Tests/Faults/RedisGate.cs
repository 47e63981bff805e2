using System.Net;
using System.Net.Sockets;

namespace Streaming.Worker.Tests.Faults;

/// <summary>
/// A proxy for Redis that can block in the middle of a command: what the client sends up to and including a pattern
/// is forwarded, the rest is held back until the gate is opened.
/// </summary>
internal sealed class RedisGate : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _shut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _target;
    private readonly Task _accepting;
    private byte[]? _pattern;

    public RedisGate(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Configuration => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Closes the gate at the next command with these bytes.</summary>
    /// <returns>Completes when it is closed.</returns>
    public Task ShutAtAsync(byte[] pattern)
    {
        Volatile.Write(ref _pattern, pattern);
        return _shut.Task;
    }

    /// <summary>Forwards what was held back, and everything after it.</summary>
    public void Open()
    {
        Volatile.Write(ref _pattern, null);
        _open.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        Open();
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> pumps = [];
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_end.Token);
                pumps.Add(ConnectAsync(client));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            await Task.WhenAll(pumps);
        }
    }

    private async Task ConnectAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient { NoDelay = true })
        {
            try
            {
                client.NoDelay = true;
                await server.ConnectAsync(IPAddress.Loopback, _target, _end.Token);
                await Task.WhenAny(
                    PumpAsync(client.GetStream(), server.GetStream(), isGated: true),
                    PumpAsync(server.GetStream(), client.GetStream(), isGated: false)
                );
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // Either side closed the connection.
            }
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, bool isGated)
    {
        byte[] buffer = new byte[64 << 10];
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer, _end.Token)) > 0)
            {
                int passed = 0;
                if (isGated && Volatile.Read(ref _pattern) is { } pattern && buffer.AsSpan(0, read).IndexOf(pattern) is >= 0 and int at)
                {
                    passed = at + pattern.Length;
                    await to.WriteAsync(buffer.AsMemory(0, passed), _end.Token);
                    _shut.TrySetResult();
                    await _open.Task;
                }

                await to.WriteAsync(buffer.AsMemory(passed, read - passed), _end.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Either side closed the connection.
        }
    }
}
