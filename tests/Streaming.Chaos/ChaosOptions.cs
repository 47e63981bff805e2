using System.Globalization;

namespace Streaming.Chaos;

/// <summary>Which faults to inject, and how often.</summary>
internal sealed record ChaosOptions
{
    /// <summary>Gets how often the worker is killed. Default 20; 0 … 100,000.</summary>
    public int Kills { get; private set; } = 20;

    /// <summary>Gets the seed of the events and of the kill times. Default 1.</summary>
    public int Seed { get; private set; } = 1;

    /// <summary>Gets how many events are produced per second. Default 1,000; 1 … 100,000.</summary>
    public int Rate { get; private set; } = 1_000;

    /// <summary>Gets how many ranks train: of each life a number drawn from this range. Default 1..1; 1 … 16.</summary>
    public (int Fewest, int Most) Ranks { get; private set; } = (1, 1);

    /// <summary>
    /// Gets a value indicating whether the ranks run on two hosts, which tests/hosts.sh makes, and the link between them is cut too.
    /// Default false: on this machine.
    /// </summary>
    public bool TwoHosts { get; private set; }

    /// <summary>Gets how long a soak lasts. Default 60 minutes; 2 … 10,000.</summary>
    public int Minutes { get; private set; } = 60;

    /// <summary>Gets how many seconds each fault of a soak lasts. Default 4; 1 … 600.</summary>
    public int Fault { get; private set; } = 4;

    /// <summary>Gets the number of items in the model whose pauses are measured. Default 1,000,000; 1,000 … 8,000,000.</summary>
    public int Items { get; private set; } = 1_000_000;

    /// <summary>
    /// Gets a value indicating whether to use Apache Kafka, with three nodes that are also killed. Default false: the embedded broker.
    /// </summary>
    public bool Kafka { get; private set; }

    /// <summary>Gets a value indicating whether to use a Redis Cluster, whose masters are also killed. Default false: one server.</summary>
    public bool RedisCluster { get; private set; }

    /// <summary>Gets the path of the JSON report; empty: none.</summary>
    public string Report { get; private set; } = string.Empty;

    /// <summary>Gets the folder for checkpoints and worker logs; empty: a temporary one, deleted on success.</summary>
    public string Folder { get; private set; } = string.Empty;

    /// <summary>Reads the command line.</summary>
    /// <exception cref="ArgumentException">Names the option, its value and what is allowed.</exception>
    public static ChaosOptions Parse(string[] arguments)
    {
        var options = new ChaosOptions();
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            if (name is "--kafka" or "--redis-cluster" or "--two-hosts")
            {
                options.Kafka |= name == "--kafka";
                options.RedisCluster |= name == "--redis-cluster";
                options.TwoHosts |= name == "--two-hosts";
                continue;
            }

            string value = ++i < arguments.Length ? arguments[i] : throw new ArgumentException($"{name} needs a value.");
            switch (name)
            {
                case "--kills":
                    options.Kills = Number(name, value, 0, 100_000);
                    break;
                case "--seed":
                    options.Seed = Number(name, value, 0, int.MaxValue);
                    break;
                case "--rate":
                    options.Rate = Number(name, value, 1, 100_000);
                    break;
                case "--ranks":
                    string[] ends = value.Split("..");
                    options.Ranks = (Number(name, ends[0], 1, 16), Number(name, ends[^1], 1, 16));
                    break;
                case "--minutes":
                    options.Minutes = Number(name, value, 2, 10_000);
                    break;
                case "--fault":
                    options.Fault = Number(name, value, 1, 600);
                    break;
                case "--items":
                    options.Items = Number(name, value, 1_000, 8_000_000);
                    break;
                case "--report":
                    options.Report = value;
                    break;
                case "--folder":
                    options.Folder = value;
                    break;
                default:
                    throw new ArgumentException(
                        $"Unknown option {name}; there are --kafka, --redis-cluster, --ranks, --two-hosts, --kills, --seed, --rate, --minutes, "
                            + "--fault, --items, --report and --folder."
                    );
            }
        }

        return options;
    }

    private static int Number(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw new ArgumentException($"{name} is '{value}'; allowed are {least} to {most}.");
}
