using System.Net;
using Confluent.Kafka;

namespace Streaming.Tests.Kafka;

/// <summary>Security of a cluster: TLS with a private authority, users with SCRAM-SHA-512, client certificates,
/// and access control that denies by default.</summary>
internal sealed class KafkaSecurity : IDisposable
{
    /// <summary>The user with all rights.</summary>
    public const string Admin = "admin";

    /// <summary>The user with the rights that a test grants.</summary>
    public const string Worker = "worker";

    /// <summary>The password of the client certificates' keys.</summary>
    public const string KeyPassword = "key-secret";

    private readonly TestAuthority _authority = new();

    public KafkaSecurity() => BrokerFile = _authority.SignServerFile(IPAddress.Loopback);

    /// <summary>Gets the file of the brokers' certificate and key.</summary>
    public string BrokerFile { get; }

    /// <summary>Gets the file of the authority that clients and brokers trust.</summary>
    public string AuthorityFile => _authority.CertificateFile;

    /// <summary>Returns a user's password.</summary>
    public static string PasswordOf(string user) => user + "-secret";

    /// <summary>Creates a client certificate for the principal <c>User:CN=name</c>.</summary>
    public (string CertificateFile, string KeyFile) SignClient(string name) => _authority.SignClient(KeyPassword, name);

    /// <summary>Returns librdkafka settings to connect as this user.</summary>
    public ClientConfig Client(string user) =>
        new()
        {
            SecurityProtocol = SecurityProtocol.SaslSsl,
            SaslMechanism = SaslMechanism.ScramSha512,
            SaslUsername = user,
            SaslPassword = PasswordOf(user),
            SslCaLocation = AuthorityFile,
        };

    /// <summary>Returns the storage tool's arguments that create the users.</summary>
    public static IEnumerable<string> FormatArguments =>
        new[] { Admin, Worker }.SelectMany(static user =>
            new[] { "--add-scram", $"SCRAM-SHA-512=[name={user},password={PasswordOf(user)}]" }
        );

    public void Dispose() => _authority.Dispose();
}
