using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Streaming.Serving.Tests;

/// <summary>A proxy for Redis that swallows commands of a kind, and all later ones on the same connection, until
/// the connection is broken: the client sees a server that does not answer, then a broken connection.</summary>
internal sealed class RedisFaults : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly string[] _target;
    private readonly Task _accepting;
    private readonly Lock _gate = new();
    private byte[]? _command;
    private int _allowed;
    private CancellationTokenSource _broken = new();

    public RedisFaults(string target)
    {
        _target = target.Split(',')[0].Split(':');
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Configuration => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Swallows the commands of a name, after letting some pass.</summary>
    public void Hold(string command, int after = 0)
    {
        lock (_gate)
        {
            (_command, _allowed) = (Encoding.ASCII.GetBytes($"\r\n{command}\r\n"), after);
        }
    }

    /// <summary>Breaks the connections and lets everything pass from now on.</summary>
    public void Release()
    {
        CancellationTokenSource broken;
        lock (_gate)
        {
            _command = null;
            (broken, _broken) = (_broken, new CancellationTokenSource());
        }

        broken.Cancel();
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                connections.Add(ConnectAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ConnectAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient { NoDelay = true })
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, _broken.Token))
        {
            try
            {
                client.NoDelay = true;
                await server.ConnectAsync(_target[0], int.Parse(_target[1], System.Globalization.CultureInfo.InvariantCulture), stop.Token);
                await Task.WhenAny(
                    PumpAsync(client.GetStream(), server.GetStream(), true, stop.Token),
                    PumpAsync(server.GetStream(), client.GetStream(), false, stop.Token)
                );
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // Either side closed the connection.
            }
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, bool isCommands, CancellationToken stop)
    {
        byte[] buffer = new byte[1 << 20];
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, stop)) > 0; )
            {
                if (isCommands && IsHeld(buffer.AsSpan(0, read)))
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, stop);
                }

                await to.WriteAsync(buffer.AsMemory(0, read), stop);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Either side closed the connection, or it was broken.
        }
    }

    private bool IsHeld(ReadOnlySpan<byte> commands)
    {
        lock (_gate)
        {
            return _command is not null && commands.IndexOf(_command) >= 0 && _allowed-- <= 0;
        }
    }
}
