using System.Net;
using Confluent.Kafka;

namespace Streaming.Tests.Kafka;

/// <summary>What a secure cluster goes by: TLS by an authority of its own, users with SCRAM-SHA-512, client certificates,
/// and access control that refuses whatever is not allowed.</summary>
internal sealed class KafkaSecurity : IDisposable
{
    /// <summary>The user who may do everything.</summary>
    public const string Admin = "admin";

    /// <summary>The user who may do what a test allows.</summary>
    public const string Worker = "worker";

    /// <summary>The password of the client certificates' keys.</summary>
    public const string KeyPassword = "key-secret";

    private readonly TestAuthority _authority = new();

    public KafkaSecurity() => BrokerFile = _authority.SignServerFile(IPAddress.Loopback);

    /// <summary>Gets the file of the brokers' certificate and key.</summary>
    public string BrokerFile { get; }

    /// <summary>Gets the file of the authority that clients and brokers trust.</summary>
    public string AuthorityFile => _authority.CertificateFile;

    /// <summary>The password of a user.</summary>
    public static string PasswordOf(string user) => user + "-secret";

    /// <summary>Makes a client certificate for the principal <c>User:CN=name</c>.</summary>
    public (string CertificateFile, string KeyFile) SignClient(string name) => _authority.SignClient(KeyPassword, name);

    /// <summary>The settings by which a client of librdkafka is this user.</summary>
    public ClientConfig Client(string user) => new()
    {
        SecurityProtocol = SecurityProtocol.SaslSsl,
        SaslMechanism = SaslMechanism.ScramSha512,
        SaslUsername = user,
        SaslPassword = PasswordOf(user),
        SslCaLocation = AuthorityFile,
    };

    /// <summary>The storage tool's arguments that make the users.</summary>
    public static IEnumerable<string> FormatArguments =>
        new[] { Admin, Worker }.SelectMany(static user => new[] { "--add-scram", $"SCRAM-SHA-512=[name={user},password={PasswordOf(user)}]" });

    public void Dispose() => _authority.Dispose();
}
