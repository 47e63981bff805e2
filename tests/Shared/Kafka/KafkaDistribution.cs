using System.Diagnostics;

namespace Streaming.Tests.Kafka;

/// <summary>An unpacked distribution of Apache Kafka 4: its jars, run by the <c>java</c> on the PATH.</summary>
internal sealed record KafkaDistribution(string Libraries)
{
    /// <summary>The environment variable that names the folder of the distribution.</summary>
    public const string Variable = "STREAMING_KAFKA";

    /// <summary>Finds the distribution named by the environment.</summary>
    /// <exception cref="InvalidOperationException">None is named, or the folder is not one.</exception>
    public static KafkaDistribution Find()
    {
        string folder = Environment.GetEnvironmentVariable(Variable) ?? string.Empty;
        string libraries = Path.Combine(folder, "libs");
        return folder.Length > 0 && Directory.Exists(libraries) && Directory.EnumerateFiles(libraries, "kafka_2.13-4.*.jar").Any()
            ? new KafkaDistribution(libraries)
            : throw new InvalidOperationException(
                $"{Variable} is '{folder}', which is not a distribution of Apache Kafka 4 (a folder with libs/kafka_2.13-4.*.jar). "
                    + "Download one from https://kafka.apache.org/downloads and unpack it."
            );
    }

    /// <summary>Creates the start info of one of Kafka's programs. It logs warnings to standard output.</summary>
    /// <param name="folder">Folder for its log settings.</param>
    /// <param name="className">The class, such as <c>kafka.Kafka</c>.</param>
    /// <param name="arguments">Its arguments.</param>
    public ProcessStartInfo Program(string folder, string className, params IEnumerable<string> arguments)
    {
        string logging = Path.Combine(folder, "log4j2.properties");
        if (!File.Exists(logging))
        {
            File.WriteAllText(
                logging,
                """
                status = error
                rootLogger.level = warn
                rootLogger.appenderRef.stdout.ref = stdout
                appender.stdout.type = Console
                appender.stdout.name = stdout
                appender.stdout.layout.type = PatternLayout
                appender.stdout.layout.pattern = %d{ISO8601} %-5p %c{1}: %m%n

                """
            );
        }

        return new ProcessStartInfo(
            "java",
            [
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dlog4j2.configurationFile=" + logging,
                "-cp",
                Path.Combine(Libraries, "*"),
                className,
                .. arguments,
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
    }
}
