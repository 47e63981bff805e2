namespace Streaming.Tests.Kafka;

/// <summary>Identities as Kafka writes them: 16 bytes in URL-safe base 64.</summary>
internal static class KafkaUuid
{
    /// <summary>Makes a new one. As Kafka's own, it never begins with a dash, which tools would take for an option.</summary>
    public static string New()
    {
        string id;
        do
        {
            id = Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        }
        while (id[0] == '-');

        return id;
    }
}
