namespace Streaming.Tests.Kafka;

/// <summary>Ids in Kafka's format: 16 bytes in URL-safe base64.</summary>
internal static class KafkaUuid
{
    /// <summary>Creates an id. Like Kafka's own, it never starts with a dash, which tools would take for an option.</summary>
    public static string New()
    {
        string id;
        do
        {
            id = Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        } while (id[0] == '-');

        return id;
    }
}
