using System.Globalization;

namespace Streaming.Chaos;

/// <summary>The two hosts of tests/hosts.sh, on which the ranks of a job run, and the link between them.</summary>
/// <param name="Addresses">The hosts' addresses; the launcher runs on the first.</param>
/// <param name="File">The host file for mpirun.</param>
/// <param name="Link">The process that is the link: SIGUSR1 cuts it, SIGUSR2 mends it.</param>
internal sealed record RankHosts(string[] Addresses, string File, int Link)
{
    /// <summary>Returns the hosts that tests/hosts.sh describes by environment variables.</summary>
    /// <exception cref="InvalidOperationException">The program was not started by that script.</exception>
    public static RankHosts FromEnvironment() =>
        new(Variable("HOSTS").Split(','), Variable("HOSTFILE"), int.Parse(Variable("LINK"), CultureInfo.InvariantCulture));

    /// <summary>Returns where each rank listens: mpirun fills the hosts in order, the first with one more where the number is odd.</summary>
    /// <param name="port">The port of the first rank of each host.</param>
    /// <param name="ranks">The number of ranks.</param>
    public IEnumerable<(string Address, int Port)> Listeners(int port, int ranks)
    {
        int first = (ranks + 1) / 2;
        return Enumerable.Range(0, ranks).Select(rank => rank < first ? (Addresses[0], port + rank) : (Addresses[1], port + rank - first));
    }

    /// <summary>Cuts the link: no frame arrives any more.</summary>
    public Task CutAsync() => WorkerProcess.SignalAsync(Link, "USR1");

    /// <summary>Mends the link.</summary>
    public Task MendAsync() => WorkerProcess.SignalAsync(Link, "USR2");

    private static string Variable(string name) =>
        Environment.GetEnvironmentVariable(name)
        ?? throw new InvalidOperationException($"{name} is not set; start --two-hosts by `bash tests/chaos.sh`, which makes the hosts.");
}
