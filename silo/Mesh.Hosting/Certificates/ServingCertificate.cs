using System.Security.Cryptography.X509Certificates;

namespace Mesh.Hosting.Certificates;

/// <summary>
/// The certificate of a listener, asked for at each handshake: at two thirds of its life the next one takes its place, so
/// a process may run for years.
/// </summary>
/// <param name="issue">Makes one that is valid from now on.</param>
public sealed class ServingCertificate(Func<DateTimeOffset, X509Certificate2> issue, TimeProvider time)
{
    private readonly Lock _gate = new();
    private X509Certificate2? _current;
    private DateTimeOffset _renewAt;

    /// <summary>The one to show now. Those before it are not disposed: a handshake may still be using one.</summary>
    public X509Certificate2 Current
    {
        get
        {
            var now = time.GetUtcNow();
            lock (_gate)
            {
                if (_current is null || now >= _renewAt)
                {
                    _current = issue(now);
                    var end = new DateTimeOffset(_current.NotAfter);
                    // An authority that ends soon signs nothing longer: then not at every handshake either.
                    _renewAt = now + TimeSpan.FromTicks(Math.Max((end - now).Ticks * 2 / 3, TimeSpan.TicksPerHour));
                }

                return _current;
            }
        }
    }
}
