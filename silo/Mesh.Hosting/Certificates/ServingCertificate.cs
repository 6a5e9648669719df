using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Mesh.Core.Clocks;

namespace Mesh.Hosting.Certificates;

/// <summary>
/// The certificate of a listener, asked for at each handshake: at two thirds of its life the next one takes its place, so
/// a process may run for years; and when the clock was set back, so that it is never one of another time. Validity is by the
/// wall clock, and so is this.
/// </summary>
/// <param name="issue">Makes one that is valid from now on.</param>
public sealed class ServingCertificate(Func<DateTimeOffset, X509Certificate2> issue, TimeProvider time)
{
    /// <summary>Clocks are corrected by less every day.</summary>
    private static readonly TimeSpan SetBack = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private SslStreamCertificateContext? _current;
    private DateTimeOffset _issuedAt;
    private DateTimeOffset _renewAt;

    /// <summary>
    /// The one to show now. Those before it are not disposed: a handshake may still be using one. Its context is made once:
    /// made at every handshake, as for a certificate that Kestrel is handed each time, some of the first simultaneous
    /// handshakes were cut off (1 start in 15).
    /// </summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            var now = WallClock.Now(time);
            lock (_gate)
            {
                if (_current is null || now >= _renewAt || now < _issuedAt - SetBack)
                {
                    var issued = issue(now);
                    _current = SslStreamCertificateContext.Create(issued, additionalCertificates: null, offline: true);
                    var end = new DateTimeOffset(issued.NotAfter);
                    // An authority that ends soon signs nothing longer: then not at every handshake either.
                    _issuedAt = now;
                    _renewAt = now + TimeSpan.FromTicks(Math.Max((end - now).Ticks * 2 / 3, TimeSpan.TicksPerHour));
                }

                return _current;
            }
        }
    }
}
