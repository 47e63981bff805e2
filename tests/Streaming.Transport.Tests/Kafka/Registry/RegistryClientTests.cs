using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Streaming.Formats.Records;
using Streaming.Formats.Schemas;
using Streaming.Tests;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Registry;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Registry;

public class RegistryClientTests
{
    private const string Click = """{"type":"record","name":"Click","fields":[{"name":"user","type":"string"}]}""";

    [Fact]
    public async Task Find_BasicAuthentication_IsSentAndItsPasswordNeverShown()
    {
        await using StubRegistry registry = await StubRegistry.StartAsync();
        registry.Authorization = "Basic " + Convert.ToBase64String("worker:open sesame"u8);
        registry.Answers["/api/schemas/ids/7"] = Answer(Click);

        Assert.Equal(
            SchemaKind.Avro,
            (
                await FindAsync(
                    new RegistryOptions
                    {
                        Url = registry.Url,
                        Username = "worker",
                        Password = "open sesame",
                    },
                    7
                )
            )!.Kind
        );
        RegistryUnavailableException refused = await Assert.ThrowsAsync<RegistryUnavailableException>(() =>
            FindAsync(
                new RegistryOptions
                {
                    Url = registry.Url,
                    Username = "worker",
                    Password = "wrong",
                },
                7
            )
        );
        Assert.Equal($"{registry.Url}: answers 401 Unauthorized", refused.Message);
    }

    [Fact]
    public async Task Find_IdThatIsNotThere_IsNone()
    {
        await using StubRegistry registry = await StubRegistry.StartAsync();
        Assert.Null(await FindAsync(new RegistryOptions { Url = registry.Url }, 7));
    }

    [Theory]
    [InlineData(404, "<html>", "answers 404 Not Found, which is no registry's answer: is the path right?")]
    [InlineData(503, "", "answers 503 Service Unavailable")]
    [InlineData(302, "", "answers 302 Found")]
    [InlineData(200, "<html>", "the answer is not JSON")]
    public async Task Find_AnswerThatIsNoRegistrys_IsNoMissingSchema(int status, string body, string expected)
    {
        await using StubRegistry registry = await StubRegistry.StartAsync();
        registry.Otherwise = (status, body);
        RegistryUnavailableException error = await Assert.ThrowsAsync<RegistryUnavailableException>(() =>
            FindAsync(new RegistryOptions { Url = registry.Url }, 7)
        );
        Assert.Equal($"{registry.Url}: {expected}", error.Message);
    }

    [Fact]
    public async Task Find_AnswerBeyondAllBounds_IsCutOff()
    {
        await using StubRegistry registry = await StubRegistry.StartAsync();
        registry.Otherwise = (200, new string(' ', 9 << 20));
        await Assert.ThrowsAsync<RegistryUnavailableException>(() => FindAsync(new RegistryOptions { Url = registry.Url }, 7));
    }

    [Fact]
    public async Task Find_OneOfTwoAddressesIsDown_AsksTheOther()
    {
        await using StubRegistry registry = await StubRegistry.StartAsync();
        registry.Answers["/api/schemas/ids/7"] = Answer(Click);
        Assert.NotNull(await FindAsync(new RegistryOptions { Url = $"http://127.0.0.1:1,{registry.Url}" }, 7));
        RegistryUnavailableException error = await Assert.ThrowsAsync<RegistryUnavailableException>(() =>
            FindAsync(new RegistryOptions { Url = "http://127.0.0.1:1,http://127.0.0.1:2" }, 7)
        );
        Assert.Contains(
            "http://127.0.0.1:1: Connection refused; http://127.0.0.1:2: Connection refused",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Find_Tls_TrustsTheAuthorityAndNoOtherHost()
    {
        using var authority = new TestAuthority();
        using X509Certificate2 right = authority.SignServer(IPAddress.Loopback);
        using X509Certificate2 other = authority.SignServer(IPAddress.Parse("127.0.0.2"));
        await using StubRegistry registry = await StubRegistry.StartAsync(certificate: right);
        await using StubRegistry impostor = await StubRegistry.StartAsync(certificate: other);
        registry.Answers["/api/schemas/ids/7"] = impostor.Answers["/api/schemas/ids/7"] = Answer(Click);

        Assert.NotNull(await FindAsync(new RegistryOptions { Url = registry.Url, SslCaLocation = authority.CertificateFile }, 7));
        await Assert.ThrowsAsync<RegistryUnavailableException>(() => FindAsync(new RegistryOptions { Url = registry.Url }, 7));
        RegistryUnavailableException error = await Assert.ThrowsAsync<RegistryUnavailableException>(() =>
            FindAsync(new RegistryOptions { Url = impostor.Url, SslCaLocation = authority.CertificateFile }, 7)
        );
        Assert.Contains("RemoteCertificateNameMismatch", error.Message, StringComparison.Ordinal);
        Assert.Empty(impostor.Questions);
    }

    [Fact]
    public async Task Find_TlsWithClientCertificate_ShowsIt()
    {
        using var authority = new TestAuthority();
        using X509Certificate2 certificate = authority.SignServer(IPAddress.Loopback);
        await using StubRegistry registry = await StubRegistry.StartAsync(certificate: certificate, clientAuthority: authority.Certificate);
        registry.Answers["/api/schemas/ids/7"] = Answer(Click);
        (string file, string key) = authority.SignClient("secret");

        Assert.NotNull(
            await FindAsync(
                new RegistryOptions
                {
                    Url = registry.Url,
                    SslCaLocation = authority.CertificateFile,
                    SslCertificateLocation = file,
                    SslKeyLocation = key,
                    SslKeyPassword = "secret",
                },
                7
            )
        );
        await Assert.ThrowsAsync<RegistryUnavailableException>(() =>
            FindAsync(new RegistryOptions { Url = registry.Url, SslCaLocation = authority.CertificateFile }, 7)
        );
        KafkaUnavailableException wrong = Assert.Throws<KafkaUnavailableException>(() =>
            new RegistryHttp(
                new RegistryOptions
                {
                    Url = registry.Url,
                    SslCertificateLocation = file,
                    SslKeyLocation = key,
                    SslKeyPassword = "guess",
                }
            )
        );
        Assert.DoesNotContain("guess", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Find_References_AreFetchedOnceEachAndParsedInTheirOrder()
    {
        await using StubRegistry registry = await StubRegistry.StartAsync();
        registry.Answers["/api/schemas/ids/7"] = Answer(
            "syntax = \"proto3\"; package s; import \"line.proto\"; import \"actor.proto\"; message Order { Line line = 1; Actor by = 2; }",
            "PROTOBUF",
            ("line.proto", "shop/line"),
            ("actor.proto", "actor")
        );
        registry.Answers["/api/subjects/shop%2Fline/versions/1"] = Answer(
            "syntax = \"proto3\"; package s; import \"actor.proto\"; message Line { Actor by = 1; }",
            "PROTOBUF",
            ("actor.proto", "actor")
        );
        registry.Answers["/api/subjects/actor/versions/1"] = Answer(
            "syntax = \"proto3\"; package s; message Actor { string id = 1; }",
            "PROTOBUF"
        );

        WriterSchema schema = (await FindAsync(new RegistryOptions { Url = registry.Url }, 7))!;
        var record = new RecordTree();
        Assert.True(schema.TryRead([0, 0x12, 3, 0x0A, 1, (byte)'u'], record));
        Assert.Equal("u", Encoding.UTF8.GetString(record.Root.Find("by"u8).Find("id"u8).Text));
        Assert.Equal(1, registry.Questions["/api/subjects/actor/versions/1"]);

        registry.Answers.TryRemove("/api/subjects/actor/versions/1", out _);
        FormatException missing = await Assert.ThrowsAsync<FormatException>(() => FindAsync(new RegistryOptions { Url = registry.Url }, 7));
        Assert.Equal("its reference 'actor.proto' is version 1 of subject 'actor', which the registry does not have", missing.Message);
    }

    [Theory]
    [InlineData("{\"schema\":\"{\\\"type\\\":\\\"recor\\\"}\"}", "it is not an Avro schema")]
    [InlineData("{\"schema\":\"x\",\"schemaType\":\"XML\"}", "it is of type XML; allowed: AVRO, PROTOBUF, JSON")]
    [InlineData("{}", "the registry's answer holds no schema")]
    [InlineData("[]", "the registry's answer holds no schema")]
    public async Task Find_SchemaThatCannotBeRead_SaysWhy(string answer, string expected)
    {
        await using StubRegistry registry = await StubRegistry.StartAsync();
        registry.Answers["/api/schemas/ids/7"] = answer;
        FormatException error = await Assert.ThrowsAsync<FormatException>(() => FindAsync(new RegistryOptions { Url = registry.Url }, 7));
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }

    internal static string Answer(string schema, string? type = null, params (string Name, string Subject)[] references) =>
        JsonSerializer.Serialize(
            new
            {
                schema,
                schemaType = type ?? "AVRO",
                references = references.Select(static reference => new
                {
                    name = reference.Name,
                    subject = reference.Subject,
                    version = 1,
                }),
            }
        );

    private static async Task<WriterSchema?> FindAsync(RegistryOptions options, int id)
    {
        using var client = new RegistryClient(new RegistryHttp(options));
        return await client.FindAsync(id, TestContext.Current.CancellationToken);
    }
}
