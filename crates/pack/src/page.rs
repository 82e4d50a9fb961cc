//! The unpacker as a file of wasm. It has one file to unpack, and an instance of its own for it.

use core::mem::MaybeUninit;
use core::panic::PanicInfo;
use core::ptr::{addr_of, addr_of_mut};

use crate::codes::TABLE;
use crate::model::Tables;
use crate::unpack::Unpacker;
use crate::{LARGEST, LARGEST_PACKED};

static mut PACKED: [u8; LARGEST_PACKED] = [0; LARGEST_PACKED];
static mut OUTPUT: [u8; LARGEST] = [0; LARGEST];
static mut TABLES: MaybeUninit<Tables> = MaybeUninit::zeroed();
static mut UNPACKER: MaybeUninit<Unpacker> = MaybeUninit::uninit();

/// Begins; the packed file is to be put at the address that this returns.
#[unsafe(no_mangle)]
extern "C" fn begin() -> *mut u8 {
    // SAFETY: the page runs on one thread, and no reference outlives the function that makes it.
    unsafe { (*addr_of_mut!(UNPACKER)).write(Unpacker::new()) };
    addr_of_mut!(PACKED).cast()
}

/// Where the unpacked file is.
#[unsafe(no_mangle)]
extern "C" fn unpacked() -> *const u8 {
    addr_of!(OUTPUT).cast::<u8>().wrapping_add(TABLE)
}

/// Unpacks as far as it goes when so many bytes have arrived, and returns how many bytes there are now.
#[unsafe(no_mangle)]
extern "C" fn go_on(arrived: usize, is_all: bool) -> usize {
    // SAFETY: as above; `begin` was called before, and tables of zeros are valid.
    let (unpacker, tables, packed, output) = unsafe {
        (
            (*addr_of_mut!(UNPACKER)).assume_init_mut(),
            (*addr_of_mut!(TABLES)).assume_init_mut(),
            &*addr_of!(PACKED),
            &mut *addr_of_mut!(OUTPUT),
        )
    };
    unpacker.go_on(packed.get(..arrived).unwrap_or(packed), is_all, tables, output)
}

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
