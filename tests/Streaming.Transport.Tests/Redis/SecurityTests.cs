using System.Diagnostics;
using StackExchange.Redis;
using Streaming.Core.Generations;
using Streaming.Lab.Embedded;
using Streaming.Tests;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Leadership;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

/// <summary>A server with TLS and an access list, a secure setup.</summary>
public sealed class SecurityTests : IAsyncLifetime
{
    private const string Password = "correct-horse-93";

    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-tls-").FullName;
    private LocalRedisServer _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await MakeCertificatesAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "password"), Password + "\n");
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "users.acl"),
            $"user default reset on >{Password} {AccessLists.Trainer("items")}\n"
        );
        _server = await LocalRedisServer.StartAsync([
            "--tls-port",
            "{port}",
            "--tls-cert-file",
            Path.Combine(_folder, "server.crt"),
            "--tls-key-file",
            Path.Combine(_folder, "server.key"),
            "--tls-ca-cert-file",
            Path.Combine(_folder, "ca.crt"),
            "--tls-auth-clients",
            "no",
            "--aclfile",
            Path.Combine(_folder, "users.acl"),
        ]);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Publish_TlsAndAccessList_EverythingThatTheTrainerDoesIsAllowed()
    {
        RedisOptions options = Options();
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        using TrainerLease lease = new(connection.GetDatabase(), options, "test", TimeProvider.System);
        await lease.AcquireAsync(0, Stop);
        EmbeddingPublisher publisher = new(connection.GetDatabase(), options, Make.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, lease.Token, Stop);
        GenerationSwitch generations = new(connection.GetDatabase(), options, Make.Widths, TimeProvider.System);

        Assert.Equal(30, (await publisher.PublishAsync(Make.Items(30), [], Stop)).Written);
        Assert.Equal(1, (await publisher.PublishAsync([Make.Removal("item1", 2)], [], Stop)).Removed);
        GenerationPublisher beside = new(connection.GetDatabase(), options, TimeProvider.System);
        await beside.PublishAsync(
            new GenerationRecord
            {
                Generation = 1,
                Token = lease.Token,
                Widths = Make.Widths,
            },
            [new(16, new byte[10])],
            Stop
        );
        Assert.Equal(lease.Token, (await beside.ReadAsync(1, Stop))!.Token);
        Assert.Equal(29, (await generations.CheckAsync(1, [.. Make.Items(30).Select(item => item.ItemId)], Stop)).Present);
        RedisServerException refused = await Assert.ThrowsAsync<RedisServerException>(() =>
            connection.GetDatabase().StringGetAsync("other")
        );
        Assert.StartsWith("NOPERM", refused.Message, StringComparison.Ordinal);
        Assert.True(await lease.ReleaseAsync(Stop));
        RedisConnection.Close(connection);
    }

    [Fact]
    public async Task OpenAsync_AuthorityUnknown_NothingIsSent()
    {
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(
            Options() with
            {
                CertificateAuthorityFile = null,
                ConnectTimeout = TimeSpan.FromSeconds(1),
            },
            Stop
        );
        await Assert.ThrowsAsync<RedisConnectionException>(() => connection.GetDatabase().StringGetAsync("e:items:active"));
        RedisConnection.Close(connection);
    }

    [Fact]
    public async Task OpenAsync_CertificateOfAnotherName_NothingIsSent()
    {
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(
            Options() with
            {
                Configuration = $"{_server.Configuration},ssl=true,sslHost=elsewhere.example",
                ConnectTimeout = TimeSpan.FromSeconds(1),
            },
            Stop
        );
        await Assert.ThrowsAsync<RedisConnectionException>(() => connection.GetDatabase().StringGetAsync("e:items:active"));
        RedisConnection.Close(connection);
    }

    [Fact]
    public async Task Publish_PasswordWrongOrRightsMissing_SecretIsInNoError()
    {
        const string wrong = "wrong-donkey-47";
        List<string> said = [];
        foreach (string password in new[] { wrong, Password })
        {
            RedisOptions options = Options() with
            {
                PasswordFile = null,
                Configuration = $"{_server.Configuration},ssl=true,password={password}",
                Model = "forbidden",
                ConnectTimeout = TimeSpan.FromSeconds(1),
                CommandTimeout = TimeSpan.FromSeconds(1),
                RetryAttempts = 1,
            };
            ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
            EmbeddingPublisher publisher = new(connection.GetDatabase(), options, Make.Widths, TimeProvider.System);
            said.Add((await Assert.ThrowsAnyAsync<Exception>(() => publisher.OpenAsync(1, 1, Stop))).ToString());
            said.Add(options.ToString());
            said.Add(connection.GetStatus());
            RedisConnection.Close(connection);
        }

        Assert.All(said, text => Assert.DoesNotContain(Password, text, StringComparison.Ordinal));
        Assert.All(said, text => Assert.DoesNotContain(wrong, text, StringComparison.Ordinal));
        Assert.Contains(said, text => text.Contains("NOPERM", StringComparison.Ordinal));
    }

    private RedisOptions Options() =>
        new()
        {
            Configuration = $"{_server.Configuration},ssl=true",
            PasswordFile = Path.Combine(_folder, "password"),
            CertificateAuthorityFile = Path.Combine(_folder, "ca.crt"),
            Partitions = 8,
        };

    private async Task MakeCertificatesAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "san"), "subjectAltName=IP:127.0.0.1\n", Stop);
        await OpenSslAsync(
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=Test authority",
            "-keyout",
            "ca.key",
            "-out",
            "ca.crt"
        );
        await OpenSslAsync("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr");
        await OpenSslAsync(
            "x509",
            "-req",
            "-in",
            "server.csr",
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "san",
            "-out",
            "server.crt"
        );
    }

    private async Task OpenSslAsync(params string[] arguments)
    {
        ProcessStartInfo info = new("openssl", arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(info)!;
        string printed = await process.StandardError.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);
        Assert.True(process.ExitCode == 0, printed);
    }
}
