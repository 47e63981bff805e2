using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Streaming.Tests;

/// <summary>A private certificate authority, and the certificates it issues.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-ca-").FullName;

    public TestAuthority()
    {
        CertificateRequest request = new("CN=Test authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true)
        );
        Certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        File.WriteAllText(CertificateFile, Certificate.ExportCertificatePem());
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>Gets the PEM file of the authority's certificate, for clients to trust.</summary>
    public string CertificateFile => Path.Combine(_folder, "ca.pem");

    /// <summary>Creates a server certificate for an address.</summary>
    public X509Certificate2 SignServer(IPAddress address)
    {
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(address);
        return Sign("CN=broker", names.Build());
    }

    /// <summary>Creates a server certificate for an address, as one PEM file of chain and key, the key store format of
    /// Apache Kafka.</summary>
    public string SignServerFile(IPAddress address)
    {
        using X509Certificate2 certificate = SignServer(address);
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        string file = Path.Combine(_folder, "broker.pem");
        File.WriteAllLines(file, [key.ExportPkcs8PrivateKeyPem(), certificate.ExportCertificatePem(), Certificate.ExportCertificatePem()]);
        return file;
    }

    /// <summary>Creates a client certificate, as separate certificate and key files.</summary>
    public (string CertificateFile, string KeyFile) SignClient(string password, string name = "trainer")
    {
        using X509Certificate2 certificate = Sign("CN=" + name, null);
        string file = Path.Combine(_folder, name + ".pem");
        string keyFile = Path.Combine(_folder, name + ".key");
        File.WriteAllText(file, certificate.ExportCertificatePem());
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(
            keyFile,
            key.ExportEncryptedPkcs8PrivateKeyPem(
                password,
                new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)
            )
        );
        return (file, keyFile);
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private X509Certificate2 Sign(string subject, X509Extension? names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(subject, key, HashAlgorithmName.SHA256);
        if (names is not null)
        {
            request.CertificateExtensions.Add(names);
        }

        using X509Certificate2 signed = request.Create(
            Certificate,
            Certificate.NotBefore,
            Certificate.NotAfter,
            RandomNumberGenerator.GetBytes(8)
        );
        using X509Certificate2 whole = signed.CopyWithPrivateKey(key);

        // SslStream needs a reusable key, which an attached one is not on every platform. Apache Kafka's
        // key store is made from the exported key.
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }
}
