using Streaming.Core.Options;
using Streaming.Serving.Approximate;
using Streaming.Serving.Graphs;

namespace Streaming.Worker.Serve;

/// <summary>How the index behind lookups and recommendations is refreshed and searched.</summary>
public sealed record ServeOptions
{
    /// <summary>
    /// Gets the pause between refreshes of the index; a removed item may still be recommended for this time plus one refresh. Default 1 s;
    /// 10 ms … 1 h.
    /// </summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets how many items a refresh looks up again to find those that expired, were evicted or were deleted by hand.
    /// Default 2,000, which covers a million items in about ten minutes; 0 … 100,000, 0 for never.</summary>
    public int SweepItems { get; init; } = 2_000;

    /// <summary>
    /// Gets how many candidates a first pass at a narrow width keeps for ranking at the requested width, unless the request sets
    /// `shortlist=`. Default 0: exact search; 0 … 100,000.
    /// </summary>
    public int Shortlist { get; init; }

    /// <summary>
    /// Gets a value indicating whether searches of a large catalogue at its whole width are approximate: a graph of the items is built in
    /// the background, and what changes is searched exactly. Default false; true where USearch's native library loads: Linux (glibc) and
    /// Windows on x64, Apple silicon.
    /// </summary>
    public bool Approximate { get; init; }

    /// <summary>Gets the number of items from which on a graph is built. Default 100,000; 1 … 1,000,000,000.</summary>
    public int ApproximateMinItems { get; init; } = 100_000;

    /// <summary>Gets the number of threads that build a graph, which take their time from the answers. Default 1; 1 … 256.</summary>
    public int ApproximateThreads { get; init; } = 1;

    /// <summary>Gets the maximum age of the index while Redis cannot be read; beyond it answers are 503. Default 10 m; 0 s … 7 d.</summary>
    public TimeSpan MaxStale { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Gets a generation that is served besides the one that readers use: to requests with its `generation=`, and to a share of the users
    /// (`TrialShare`). Its index needs as much memory again. Default 0: none.
    /// </summary>
    public uint TrialGeneration { get; init; }

    /// <summary>
    /// Gets the share of the users who are answered from the trial generation (A/B), by a hash of the user's id: a user stays on one side
    /// while generation and share are the same, and on it when the share grows. While the generation cannot be served, they are answered
    /// like the others. Default 0; 0 … 1.
    /// </summary>
    public double TrialShare { get; init; }

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(RefreshInterval), RefreshInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));
        errors.Range(nameof(SweepItems), SweepItems, 0, 100_000);
        errors.Check(
            Shortlist is >= 0 and <= RouteAnswers.MostShortlist,
            nameof(Shortlist),
            Shortlist,
            $"0 … {RouteAnswers.MostShortlist}"
        );
        errors.Range(nameof(ApproximateMinItems), ApproximateMinItems, 1, 1_000_000_000);
        errors.Range(nameof(ApproximateThreads), ApproximateThreads, 1, 256);
        if (Approximate && UsearchLibrary.Objection() is { } objection)
        {
            errors.Add(nameof(Approximate), "true", $"false on this machine: {objection}");
        }

        errors.Range(nameof(MaxStale), MaxStale, TimeSpan.Zero, TimeSpan.FromDays(7));
        errors.Range(nameof(TrialShare), TrialShare, 0, 1);
        errors.Check(
            TrialGeneration > 0 || !(TrialShare > 0),
            nameof(TrialGeneration),
            TrialGeneration,
            $"the number of a generation, because {nameof(TrialShare)} is {TrialShare}"
        );
        errors.Throw();
    }

    /// <summary>Returns how searches are approximate; null: they are exact.</summary>
    internal ApproximateOptions? ToApproximate() =>
        Approximate
            ? new ApproximateOptions
            {
                Create = UsearchGraph.Create,
                MinItems = ApproximateMinItems,
                Threads = ApproximateThreads,
            }
            : null;
}
