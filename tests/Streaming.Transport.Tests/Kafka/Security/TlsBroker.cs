using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Streaming.Lab.Embedded;

namespace Streaming.Transport.Tests.Kafka.Security;

/// <summary>
/// The embedded broker behind TLS, and optionally SASL PLAIN: terminates the encryption, forwards requests in
/// plain text, and replaces the broker's port in the responses by its own, so that clients reconnect to it.
/// </summary>
internal sealed class TlsBroker : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2? _clientAuthority;
    private readonly SaslPlain? _sasl;
    private readonly byte[] _brokersAddress;
    private readonly byte[] _ownAddress;
    private readonly int _target;
    private readonly Task _accepting;
    private int _requests;

    /// <summary>Starts listening.</summary>
    /// <param name="broker">The embedded broker, with a single node.</param>
    /// <param name="certificate">This server's certificate.</param>
    /// <param name="user">User and password that clients must give; null: no SASL.</param>
    /// <param name="clientAuthority">The authority that must have signed client certificates; null: none required.</param>
    public TlsBroker(
        EmbeddedBroker broker,
        X509Certificate2 certificate,
        (string Name, string Password)? user = null,
        X509Certificate2? clientAuthority = null
    )
    {
        _certificate = certificate;
        _clientAuthority = clientAuthority;
        _sasl = user is { } known ? new SaslPlain(known.Name, known.Password, Tokens.Enqueue) : null;
        _target = int.Parse(broker.BootstrapServers.Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture);
        _listener.Start();
        _brokersAddress = Address(_target);
        _ownAddress = Address(Port);
        _accepting = AcceptAsync();
    }

    public string BootstrapServers => $"127.0.0.1:{Port}";

    /// <summary>Gets the number of forwarded requests; none come from clients that do not trust this server.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Gets the tokens with which clients authenticated.</summary>
    public ConcurrentQueue<string> Tokens { get; } = [];

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    // Host and port of a broker as encoded in metadata responses: the text, then four bytes.
    private static byte[] Address(int port)
    {
        byte[] bytes = [.. "127.0.0.1"u8, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(bytes.Length - 4), port);
        return bytes;
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or ObjectDisposedException or InvalidOperationException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        using (TcpClient broker = new() { NoDelay = true })
        await using (SslStream encrypted = new(client.GetStream()))
        {
            try
            {
                client.NoDelay = true;
                await encrypted.AuthenticateAsServerAsync(Authentication(), _end.Token);
                await broker.ConnectAsync(IPAddress.Loopback, _target, _end.Token);
                if (_sasl is null || await _sasl.IntroduceAsync(encrypted, broker.GetStream(), _end.Token))
                {
                    await Task.WhenAny(PassRequestsAsync(encrypted, broker.GetStream()), PassAnswersAsync(broker.GetStream(), encrypted));
                }
            }
            catch (Exception exception)
                when (exception is AuthenticationException or IOException or SocketException or OperationCanceledException)
            {
                // The client rejected the certificate, or either side closed the connection.
            }
        }
    }

    private SslServerAuthenticationOptions Authentication() =>
        new()
        {
            ServerCertificate = _certificate,
            ClientCertificateRequired = _clientAuthority is not null,
            CertificateChainPolicy = _clientAuthority is null
                ? null
                : new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { _clientAuthority },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
        };

    private async Task PassRequestsAsync(SslStream client, NetworkStream broker)
    {
        while (await KafkaFrame.ReadAsync(client, _end.Token) is { } frame)
        {
            Interlocked.Increment(ref _requests);
            await broker.WriteAsync(frame, _end.Token);
        }
    }

    private async Task PassAnswersAsync(NetworkStream broker, SslStream client)
    {
        while (await KafkaFrame.ReadAsync(broker, _end.Token) is { } frame)
        {
            for (int at = 0; frame.AsSpan(at).IndexOf(_brokersAddress) is >= 0 and int found; at += found)
            {
                _ownAddress.CopyTo(frame, at + found);
            }

            await client.WriteAsync(frame, _end.Token);
        }
    }
}
